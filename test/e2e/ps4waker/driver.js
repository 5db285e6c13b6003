'use strict';

// Drives ps4-waker line by line (see peer.Driver): a command is
// {"id": 1, "do": "start", "args": ["CUSA00129"]}.
//
// argv: public key (PEM), credentials file, address of the console.

const fs = require('fs');
const readline = require('readline');
const NodeRSA = require('node-rsa');
const ps4lib = require('ps4-waker/dist/ps4lib');
const { Detector, Device, Socket, Waker } = require('ps4-waker');

// ps4-waker prints messages on stdout, which is for answers here.
console.log = console.error;

const [, , keyFile, credentials, address] = process.argv;

// The simulated console's key in place of the built-in one, which belongs to
// real consoles; nothing else of ps4-waker is changed.
const publicKey = fs.readFileSync(keyFile, 'utf8');
ps4lib.createPublicKey = () => new NodeRSA(publicKey, 'pkcs8-public');

// withDevice opens and closes a device of its own, like each of ps4-waker's
// commands.
async function withDevice(work) {
  const device = new Device({ address, credentials, timeout: 10000 });
  device.on('error', (err) => { throw err; });
  try {
    return await work(device);
  } finally {
    await device.close();
  }
}

const steps = {
  // search lists every console that answers a broadcast within a time.
  async search(timeout) {
    const found = [];
    await Detector.findWhen(() => true, { timeout }, (err, device, rinfo) => {
      if (device) found.push({ ...device, address: rinfo.address, from: rinfo.port });
      return false;
    });
    return found.sort((a, b) => (a['host-id'] < b['host-id'] ? -1 : 1));
  },

  async check() {
    return new Device({ address, credentials, timeout: 5000 }).getDeviceStatus();
  },

  async wake() {
    const device = await steps.check();
    const waker = new Waker(credentials, { autoLogin: false, errorIfAwake: true });
    await new Promise((resolve, reject) => {
      waker.wake({ timeout: 30000 }, device, (err) => (err ? reject(err) : resolve()));
    });
    return steps.check();
  },

  // link registers as ps4-waker's pin command does: a login without a PIN, then
  // each PIN on the same connection. It returns the results of the logins.
  async link(...pins) {
    const { 'user-credential': accountId } = JSON.parse(fs.readFileSync(credentials, 'utf8'));
    const socket = new Socket({ accountId, host: address, pinCode: '', passCode: '' });
    const results = [];
    await new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('login_result', (packet) => {
        results.push({ result: packet.result, error: packet.error });
        if (packet.result === 0) socket.close();
        else if (pins.length) socket.login(pins.shift());
        else socket.close();
      });
      socket.on('disconnected', resolve);
    });
    return results;
  },

  start: (title) => withDevice(async (device) => { await device.startTitle(title); }),

  keys: (...names) => withDevice(async (device) => { await device.sendKeys(names); }),

  // type replaces the text of the on-screen keyboard and submits it.
  type: (text) => withDevice(async (device) => {
    const keyboard = await device.getKeyboard();
    await keyboard.setText(text);
    await keyboard.submit();
  }),

  // hold stays logged in for a time and counts the heartbeats.
  hold: (ms) => withDevice(async (device) => {
    const socket = await device.openSocket();
    await device.login();
    let heartbeats = 0;
    socket.on('status', () => { heartbeats += 1; });
    await new Promise((resolve) => { setTimeout(resolve, ms); });
    return { heartbeats, connected: device.isConnected };
  }),

  turnOn: () => withDevice(async (device) => { await device.turnOn(); }),

  // standby is not closed by us: the console drops the connection.
  async standby() {
    const device = new Device({ address, credentials, timeout: 10000 });
    const dropped = new Promise((resolve) => { device.on('disconnected', resolve); });
    await device.turnOff();
    await dropped;
  },
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { id, do: step, args } = JSON.parse(line);
    let answer;
    try {
      answer = { id, result: (await steps[step](...args)) ?? null };
    } catch (err) {
      answer = { id, error: String(err && err.message) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

main();
