/** Somebody comes in with an account elsewhere: a real provider says who they are, and the stack what that makes of them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { barriers, openBrowser, show } from './browser.mjs';
import { CLIENT, startProvider } from './provider.mjs';
import { startStack } from './stack.mjs';

const SOON = 30_000;
/** Who is in which group there. */
const groups = { 'ada-1': ['developers'], 'eve-1': ['sales'] };

let stack;
let provider;
let browser;
let page;
let complaints;

before(async () => {
  stack = await startStack();
  provider = await startProvider(at('/signed-in'), groups);
  ({ browser, page, complaints } = await openBrowser());
  page.setDefaultTimeout(SOON);
});

after(async () => {
  await browser?.close();
  await provider?.stop();
  const code = await stack?.stop();
  await stack?.remove();
  if (stack) assert.equal(code, 0, stack.output());
});

const at = (place) => new URL(place, stack.link).href;

/** Runs `ergon` against the stack; what it prints. */
function ergon(...args) {
  const { input, words } = typeof args[0] === 'object' ? args[0] : { words: args };
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ERGON_DATA: path.join(stack.folder, 'data', 'stack') };
    const child = execFile(path.resolve(process.env.ERGON_BINARY), words, { env }, (error, stdout, stderr) =>
      error ? reject(new Error(`${words.join(' ')}: ${stderr}`)) : resolve(stdout),
    );
    child.stdin.end(input ?? '');
  });
}

async function fits(place) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 380, height: 780 });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wider, 0, `${place} is wider than the screen`);
  assert.deepEqual(await barriers(page), [], place);
  await page.setViewportSize(size);
}

const button = () => page.getByRole('button', { name: 'Sign in with Corp' });
const signOut = async () => {
  await page.goto(at('/account'));
  await page.getByRole('button', { name: 'Sign out' }).first().click();
  await button().waitFor();
};

test('an account elsewhere', { timeout: 180_000 }, async (road) => {
  await road.test('an owner names the provider, and the page to sign in offers it', async () => {
    const words = ['person', 'provider', 'set', 'corp', '--issuer', provider.issuer, '--client-id', CLIENT.client_id];
    const printed = await ergon({
      words: [...words, '--client-secret-stdin', '--title', 'Corp', '--map', 'developers=developer'],
      input: CLIENT.client_secret,
    });
    assert.match(printed, new RegExp(at('/signed-in')));
    await page.goto(at('/containers'));
    await button().waitFor();
    await fits('the page to sign in');
    await show(page, '40-sign-in');
  });

  await road.test('whoever says no there is not let in, and reads nothing of what others wrote', async () => {
    await button().click();
    await page.getByRole('button', { name: 'Not now' }).click();
    await page.getByRole('alert').getByText('You were not let in there').waitFor();
    assert.equal(await page.getByText('555').count(), 0);
    assert.equal(new URL(page.url()).search, '', 'nothing of it stays in the address');
    await show(page, '41-said-no');
  });

  await road.test('whoever has no group that means something here is not let in', async () => {
    await button().click();
    await page.getByLabel('Who are you?').fill('eve-1');
    await page.getByRole('button', { name: 'That is me' }).click();
    await page.locator('.notice').getByText('none of its groups is a role here').waitFor();
    await fits('the refusal');
    await show(page, '42-no-group');
    await page.context().clearCookies();
  });

  await road.test('a developer there is a developer here, and comes back to where they were', async () => {
    await page.goto(at('/containers'));
    await button().click();
    await page.getByLabel('Who are you?').fill('ada-1');
    await page.getByRole('button', { name: 'That is me' }).click();
    await page.getByRole('banner').getByText('ada').waitFor();
    assert.equal(page.url(), at('/containers'));
    await page.goto(at('/account'));
    await page.getByText('as ada-1').waitFor();
    assert.equal(await page.getByText('New password').count(), 0);
    await fits('the account');
    await show(page, '43-account');
    assert.match(await ergon('person', 'show', 'ada'), /developer[\s\S]*account[\s\S]*ada-1 at http/);
  });

  await road.test('what they are there, they are here the next time', async () => {
    await signOut();
    groups['ada-1'] = [];
    await button().click();
    // Signed in there still: nothing is asked.
    await page.locator('.notice').getByText('none of its groups is a role here').waitFor();
    groups['ada-1'] = ['developers'];
    await button().click();
    await page.getByRole('banner').getByText('ada').waitFor();
    assert.deepEqual(complaints, []);
    assert.deepEqual(provider.faults, []);
  });
});
