'use strict';

// Loaded before ps4-waker: gives it the public key of the simulated consoles, a file
// named by PS4KIT_BENCH_KEY, in place of the one that belongs to real consoles.
// Nothing else of it is changed.

const fs = require('fs');
const Module = require('module');

const publicKey = fs.readFileSync(process.env.PS4KIT_BENCH_KEY, 'utf8');
const load = Module._load;

Module._load = function loadWithKey(request, ...rest) {
  const loaded = load.call(this, request, ...rest);
  if (request !== 'node-rsa') return loaded;
  return class extends loaded {
    constructor(key, ...more) {
      super(String(key).includes('PUBLIC KEY') ? publicKey : key, ...more);
    }
  };
};
