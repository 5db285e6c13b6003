'use strict';

// Registers with a console through playactor's library, and writes the file of
// credentials that its command reads.
//
// argv: address of the console, PIN, account id (base64), file.

const fs = require('fs');
const { StandardPS4DiscoveryNetworkFactory, StandardPS5DiscoveryNetworkFactory } = require('playactor/dist/discovery/standard');
const { RemotePlayRegistration } = require('playactor/dist/remoteplay/registration');
const { registKeyToCredential } = require('playactor/dist/credentials/oauth/requester');

const [, , address, pin, accountId, file] = process.argv;

function discover() {
  return new Promise((resolve) => {
    const networks = [StandardPS4DiscoveryNetworkFactory, StandardPS5DiscoveryNetworkFactory].map(
      (factory) => factory.createDevices({}, (device) => {
        networks.forEach((n) => n.close());
        resolve(device);
      }),
    );
    networks.forEach((n) => n.ping(address));
  });
}

async function main() {
  const device = await discover();
  const registration = await new RemotePlayRegistration().register(device, { accountId, pin });
  const key = registration['PS5-RegistKey'] || registration['PS4-RegistKey'];
  fs.writeFileSync(file, JSON.stringify({
    [device.id]: {
      'app-type': 'r', 'auth-type': 'R', 'client-type': 'vr', model: 'w',
      'user-credential': registKeyToCredential(key), accountId, registration,
    },
  }));
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
