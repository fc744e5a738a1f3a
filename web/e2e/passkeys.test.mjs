/** A passkey in a real browser, kept by an authenticator that Chromium makes up: added, used, renamed, removed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { barriers, openBrowser, show } from './browser.mjs';
import { startStack } from './stack.mjs';

const SOON = 30_000;

let stack;
let browser;
let page;
let complaints;
/** The authenticator, over the browser's own protocol. */
let device;
let authenticatorId;

before(async () => {
  stack = await startStack();
  ({ browser, page, complaints } = await openBrowser());
  page.setDefaultTimeout(SOON);
  device = await page.context().newCDPSession(page);
  await device.send('WebAuthn.enable');
  ({ authenticatorId } = await device.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  }));
});

after(async () => {
  await browser?.close();
  const code = await stack?.stop();
  await stack?.remove();
  if (stack) assert.equal(code, 0, stack.output());
});

const at = (place) => new URL(place, stack.link).href;
const held = async () => (await device.send('WebAuthn.getCredentials', { authenticatorId })).credentials;

async function fits(place) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 380, height: 780 });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wider, 0, `${place} is wider than the screen`);
  assert.deepEqual(await barriers(page), [], place);
  await page.setViewportSize(size);
}

const signOut = async () => {
  await page.goto(at('/account'));
  await page.getByRole('button', { name: 'Sign out' }).first().click();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
};

test('a passkey', { timeout: 180_000 }, async (road) => {
  await road.test('whoever is signed in adds one, and it says what it is', async () => {
    await page.goto(stack.link);
    await page.getByRole('heading', { name: 'Projects', level: 1 }).waitFor();
    await page.goto(at('/account'));
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.locator('[data-passkey]').getByText('for localhost').waitFor();
    const [credential, ...others] = await held();
    assert.equal(others.length, 0);
    assert.ok(credential.isResidentCredential);
    assert.equal(credential.rpId, 'localhost');
    await fits('the account');
    await show(page, '50-account');
  });

  await road.test('the same device makes no second one', async () => {
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByRole('alert').getByText('has a passkey of yours').waitFor();
    assert.equal((await held()).length, 1);
  });

  await road.test('it is called otherwise', async () => {
    await page.getByRole('button', { name: /^Rename/ }).click();
    await page.getByLabel('Name of the passkey').fill('key ring');
    await fits('the dialog');
    await show(page, '51-rename');
    await page.keyboard.press('Enter');
    await page.locator('[data-passkey]').getByText('key ring').waitFor();
  });

  await road.test('whoever has it comes in with it, without a name', async () => {
    await signOut();
    await fits('the page to sign in');
    await show(page, '52-sign-in');
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('banner').getByText('owner').first().waitFor();
    await page.goto(at('/account'));
    await page.locator('[data-passkey]').getByText('last used').waitFor();
  });

  await road.test('a device that does not ask who touches it lets nobody in', async () => {
    await signOut();
    await device.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('alert').getByText('Nothing came of it').waitFor();
    await show(page, '53-refused');
    await device.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('banner').getByText('owner').first().waitFor();
  });

  await road.test('one that was removed lets nobody in', async () => {
    await page.goto(at('/account'));
    await page.getByRole('button', { name: 'Remove key ring' }).click();
    await page.getByRole('button', { name: 'Remove passkey' }).click();
    await page.locator('[data-passkey]').waitFor({ state: 'detached' });
    await signOut();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('alert').getByText('lets nobody in').waitFor();
  });

  await road.test('at an address there are none, and it is said where there are', async () => {
    const { port } = new URL(stack.link);
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.getByText('is an address').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Sign in with a passkey' }).count(), 0);
    await fits('the page to sign in at an address');
    await show(page, '54-address');
    assert.deepEqual(complaints, []);
  });
});
