// Debian's Chromium, driven line by line (see peer.Driver) to use the page as a person
// does. Selectors are those of Playwright: role=button[name="Turn on"].
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { chromium } = require('playwright-core');
const axe = require('axe-core');

const patience = 30_000; // ms
const say = (o) => process.stdout.write(JSON.stringify(o) + '\n');

// Each page is of a browser profile of its own.
const pages = new Map();
let browser = null;

async function start() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'ps4kit-chromium-'));
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  process.on('exit', () => fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
  return chromium.launch({ executablePath: '/usr/bin/chromium', args, env: { ...process.env, HOME: profile, TMPDIR: profile } });
}

// watch notes what must not happen: errors of the page, requests to another host, and
// answers that are errors, of which the test says which ones it expects.
function watch(page, origin) {
  const seen = { troubles: [], elsewhere: [], refused: [] };
  page.on('pageerror', (e) => seen.troubles.push(e.stack || String(e)));
  page.on('console', (m) => {
    const network = m.text().startsWith('Failed to load resource'); // is in refused
    if (['error', 'warning'].includes(m.type()) && !network) seen.troubles.push(m.text());
  });
  page.on('request', (r) => {
    if (!r.url().startsWith('data:') && new URL(r.url()).origin !== origin) seen.elsewhere.push(r.url());
  });
  page.on('response', (r) => {
    if (r.status() >= 400) seen.refused.push(`${r.status()} ${r.request().method()} ${new URL(r.url()).pathname}`);
  });
  return seen;
}

const of = (name) => pages.get(name).page;
const at = ({ page, on }) => of(page).locator(on);

const verbs = {
  async open({ page: name, url, scheme, width, height }) {
    browser ??= await start();
    const context = await browser.newContext({ colorScheme: scheme || 'light', viewport: { width: width || 1280, height: height || 800 }, reducedMotion: 'reduce' });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    pages.set(name, { page, context, seen: watch(page, new URL(url).origin), stubbed: [] });
    await page.goto(url);
  },
  async close({ page: name }) {
    await pages.get(name).context.close();
    pages.delete(name);
  },
  goto: async ({ page, url }) => { await of(page).goto(url); },
  reload: async ({ page }) => { await of(page).reload(); },
  url: ({ page }) => of(page).url(),
  click: (a) => at(a).click(),
  fill: (a) => at(a).fill(a.text),
  choose: async (a) => { await at(a).selectOption(a.value); },
  press: (a) => (a.on ? at(a).press(a.key) : of(a.page).keyboard.press(a.key)),
  // force clicks even what is disabled.
  force: (a) => at(a).dispatchEvent('click'),
  // places tells where each of several things is, by its number.
  places: (a) => at(a).evaluateAll((all) => Object.fromEntries(all.map((e, i) => {
    const { left, top } = e.getBoundingClientRect();
    return [i, `${left},${top}`];
  }))),
  hold: async (a) => { await at(a).click({ delay: a.ms }); },
  drag: async ({ page, on, to }) => { await of(page).locator(on).dragTo(of(page).locator(to)); },
  upload: async (a) => { await at(a).setInputFiles(a.file); },
  async download({ page, on, file }) {
    const [saved] = await Promise.all([of(page).waitForEvent('download'), of(page).locator(on).click()]);
    await saved.saveAs(file);
  },
  // stub answers requests in the server's place, and records those that change something.
  async stub({ page: name, method, url, status, type, body }) {
    await of(name).route(url, async (route) => {
      if (route.request().method() !== method) return route.fallback();
      const said = `${method} ${new URL(route.request().url()).pathname} ${route.request().postData() || ''}`;
      if (method !== 'GET') pages.get(name).stubbed.push(said.trim());
      return route.fulfill({ status, contentType: type, body });
    });
  },
  // stubbed waits for a number of such requests, and returns all since the last call.
  async stubbed({ page: name, count }) {
    const { stubbed } = pages.get(name);
    for (const end = Date.now() + patience; stubbed.length < count && Date.now() < end;) await of(name).waitForTimeout(50);
    return stubbed.splice(0);
  },
  // see waits until something can be seen, or with gone until it cannot.
  see: (a) => at(a).first().waitFor({ state: a.gone ? 'hidden' : 'visible' }),
  text: (a) => at(a).innerText(),
  texts: (a) => at(a).allInnerTexts(),
  attribute: (a) => at(a).getAttribute(a.name),
  box: (a) => at(a).boundingBox(),
  // focused is what has the focus, by the name that is read out.
  focused: ({ page }) => of(page).evaluate(() => document.activeElement.ariaLabel || document.activeElement.textContent),
  // overflow is how many pixels the page is wider than the window.
  overflow: ({ page }) => of(page).evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
  // axe lists what is wrong for people who do not see, hear or use a mouse. It is
  // evaluated by the debugger, so the content security policy stays as it is.
  async axe({ page }) {
    await of(page).evaluate(axe.source);
    const { violations } = await of(page).evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }));
    return violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.target} ${n.any[0]?.message || ''}`).join('; ')}`);
  },
  shot: async ({ page, file }) => { await of(page).screenshot({ path: file }); },
  seen: ({ page }) => pages.get(page).seen,
};

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const request = JSON.parse(line);
  try {
    const result = await verbs[request.do](request);
    say({ id: request.id, result: result === undefined ? null : result });
  } catch (e) {
    say({ id: request.id, error: `${request.on || ''} ${(e && e.message) || e}` });
  }
}).on('close', async () => {
  await browser?.close();
  process.exit(0);
});
