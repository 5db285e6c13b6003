// An independent HomeKit controller (npm hap-controller) driven line by line:
// each line on stdin is {"id":N,"do":"…",…}; each answer on stdout is
// {"id":N,"result":…} or {"id":N,"error":"…"}. Events come as {"event":[…]}.
'use strict';
const crypto = require('node:crypto');
const readline = require('node:readline');
const { HttpClient, PairMethods } = require('hap-controller');

const clients = new Map();

function client(name) {
  const c = clients.get(name);
  if (!c) throw new Error(`no client ${name}`);
  return c;
}

const say = (o) => process.stdout.write(JSON.stringify(o) + '\n');

const verbs = {
  // connect makes a client; with pairing data it needs no pair-setup.
  connect({ name, device, address, port, pairing }) {
    const c = new HttpClient(device, address, port, pairing, {
      usePersistentConnections: true,
      subscriptionsUseSameConnection: true,
    });
    c.on('event', (ev) => say({ event: ev.characteristics, client: name }));
    c.on('event-disconnect', () => say({ disconnected: name }));
    clients.set(name, c);
  },
  async pair({ name, code }) {
    await client(name).pairSetup(code, PairMethods.PairSetup);
    return client(name).getLongTermData();
  },
  accessories: ({ name }) => client(name).getAccessories(),
  get: ({ name, ids }) => client(name).getCharacteristics(ids, { meta: true, perms: true, type: true, ev: true }),
  put: ({ name, values }) => client(name).setCharacteristics(values),
  // timed is a timed write, which the package has no method for: prepare with the pid asked, then write with the pid given.
  async timed({ name, ttl, prepared, pid, values }) {
    const connection = await client(name).getDefaultVerifiedConnection();
    const put = async (path, body) => {
      const r = await connection.put(path, Buffer.from(JSON.stringify(body)));
      return { status: r.statusCode, body: r.body.length ? JSON.parse(r.body.toString()) : null };
    };
    const characteristics = Object.entries(values).map(([id, value]) => {
      const [aid, iid] = id.split('.').map(Number);
      return { aid, iid, value };
    });
    const prepare = await put('/prepare', { ttl, pid: prepared });
    return { prepare, write: await put('/characteristics', { characteristics, pid }) };
  },
  // admit pairs another controller, as whose client `as` is made, by the admin rights of the first one.
  async admit({ name, as, device, address, port, admin }) {
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url');
    const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d, 'base64url');
    const id = crypto.randomUUID();
    await client(name).addPairing(id, raw, admin);
    const pairing = {
      ...client(name).getLongTermData(),
      iOSDevicePairingID: Buffer.from(id).toString('hex'),
      iOSDeviceLTSK: Buffer.concat([seed, raw]).toString('hex'),
      iOSDeviceLTPK: raw.toString('hex'),
    };
    verbs.connect({ name: as, device, address, port, pairing });
  },
  async subscribe({ name, ids }) {
    await client(name).subscribeCharacteristics(ids);
  },
  pairings: ({ name }) => client(name).listPairings().then((tlv) => tlv.size),
  async unpair({ name }) {
    const c = client(name);
    await c.removePairing(c.getLongTermData().iOSDevicePairingID);
  },
  async close({ name }) {
    await client(name).close();
    clients.delete(name);
  },
};

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const request = JSON.parse(line);
  try {
    const result = await verbs[request.do](request);
    say({ id: request.id, result: result === undefined ? null : result });
  } catch (e) {
    say({ id: request.id, error: String((e && e.message) || e), body: e && e.body });
  }
}).on('close', () => process.exit(0));
