'use strict';

// Televisions like ps4kit's on HAP-NodeJS: the same services and characteristics,
// and no console behind them.
//
// argv: directory for pairings, number of televisions, port of the first one,
// inputs of each, setup code.

const {
  Accessory, Categories, Characteristic, HAPStorage, Service, uuid,
} = require('hap-nodejs');

const [, , directory, count, firstPort, inputs, pincode] = process.argv;

function television(number) {
  const name = `Console ${number}`;
  const accessory = new Accessory(name, uuid.generate(name));
  accessory.getService(Service.AccessoryInformation)
    .setCharacteristic(Characteristic.Manufacturer, 'Sony')
    .setCharacteristic(Characteristic.Model, 'PlayStation 4')
    .setCharacteristic(Characteristic.SerialNumber, `A0B1C2D3E4${number}`)
    .setCharacteristic(Characteristic.FirmwareRevision, '9.50')
    .setCharacteristic(Characteristic.ConfiguredName, name);
  const tv = accessory.addService(Service.Television, name)
    .setCharacteristic(Characteristic.ConfiguredName, name)
    .setCharacteristic(Characteristic.SleepDiscoveryMode, 1)
    .setCharacteristic(Characteristic.ActiveIdentifier, 1)
    .setCharacteristic(Characteristic.DisplayOrder, displayOrder());
  tv.getCharacteristic(Characteristic.PowerModeSelection).onSet(() => {});
  tv.getCharacteristic(Characteristic.RemoteKey).onSet(() => {});
  tv.setPrimaryService(true);
  for (let k = 1; k <= inputs; k += 1) {
    tv.addLinkedService(accessory.addService(input(k)));
  }
  return accessory;
}

function input(k) {
  const name = `Title ${k}`;
  return new Service.InputSource(name, `input${k}`)
    .setCharacteristic(Characteristic.Identifier, k)
    .setCharacteristic(Characteristic.ConfiguredName, name)
    .setCharacteristic(Characteristic.InputSourceType, k === 1 ? 1 : 10)
    .setCharacteristic(Characteristic.IsConfigured, 1)
    .setCharacteristic(Characteristic.CurrentVisibilityState, 0)
    .setCharacteristic(Characteristic.TargetVisibilityState, 0);
}

function displayOrder() {
  const entries = [];
  for (let k = 1; k <= inputs; k += 1) {
    if (k > 1) entries.push(0, 0);
    entries.push(1, 4, k, 0, 0, 0);
  }
  return Buffer.from(entries).toString('base64');
}

HAPStorage.setCustomStoragePath(directory);
const accessories = [];
for (let i = 0; i < Number(count); i += 1) {
  const accessory = television(i);
  accessory.publish({
    username: `02:50:53:34:00:${i.toString(16).padStart(2, '0').toUpperCase()}`,
    port: Number(firstPort) + i,
    pincode,
    category: Categories.TELEVISION,
  });
  accessories.push(accessory);
}

process.on('SIGTERM', () => {
  Promise.all(accessories.map((a) => a.unpublish())).finally(() => process.exit(0));
});
