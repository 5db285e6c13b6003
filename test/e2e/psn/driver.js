'use strict';

// Drives psn-api line by line (see peer.Driver): a command is
// {"id": 1, "do": "titles", "args": ["<npsso>", 200]}.
//
// argv: address of the copy of Sony's hosts.

const readline = require('readline');
const psn = require('psn-api');

const [, , copy] = process.argv;

// Requests go to the copy, with the host that psn-api meant in a header;
// nothing else of them is changed.
const realFetch = globalThis.fetch;
globalThis.fetch = (address, options = {}) => {
  const url = new URL(address);
  const headers = { ...options.headers, 'X-Meant-Host': url.host };
  return realFetch(copy + url.pathname + url.search, { ...options, headers });
};

const steps = {
  // titles signs in and returns the first page of titles and the account id.
  async titles(npsso, limit) {
    const code = await psn.exchangeNpssoForAccessCode(npsso);
    const session = await psn.exchangeAccessCodeForAuthTokens(code);
    const options = { categories: 'ps4_game', limit, offset: 0 };
    const { titles } = await psn.getUserPlayedGames(session, 'me', options);
    const { accountId } = await psn.getAccountDevices(session);
    return { titles: titles.map((t) => t.titleId), accountId };
  },
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { id, do: step, args } = JSON.parse(line);
    let answer;
    try {
      answer = { id, result: await steps[step](...args) };
    } catch (err) {
      answer = { id, error: String(err && err.message) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

main();
