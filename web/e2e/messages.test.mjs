/** What is said to a companion shows up on the page of messages by itself, and what was given up can be tried again. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { barriers, openBrowser, show } from './browser.mjs';
import { startStack } from './stack.mjs';

const SOON = 30_000;

let stack;
let browser;
let page;
let complaints;

before(async () => {
  stack = await startStack();
  ({ browser, page, complaints } = await openBrowser());
  page.setDefaultTimeout(SOON);
});

after(async () => {
  await browser?.close();
  const code = await stack?.stop();
  await stack?.remove();
  if (stack) assert.equal(code, 0, stack.output());
});

const told = async (file) => (await readFile(path.join(stack.folder, 'data', 'stack', file), 'utf8')).trim();

/** Asks the stack's API as a program does. */
async function ask(method, where, body) {
  const answer = await fetch(`${await told('endpoint')}${where}`, {
    method,
    headers: { authorization: `Bearer ${await told('token')}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  assert.ok(answer.ok, `${method} ${where}: ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

/** Nothing is wider than a phone, and nothing stands in anybody's way. */
async function fits(place) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 380, height: 780 });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wider, 0, `${place} is wider than the screen`);
  assert.deepEqual(await barriers(page), [], place);
  await page.setViewportSize(size);
}

const GIVEN_UP = {
  id: '4f1cbb07k2mz',
  from: 'desk',
  to: 'west-ci',
  state: 'dead',
  content: 'The build is green.\nPlease take the next one.',
  created_at: new Date(Date.now() - 3_600_000).toISOString(),
  expires_at: new Date(Date.now() + 3_600_000).toISOString(),
  tries: 3,
  reason: 'the answer was status 500: out of ideas',
};

test('messages show up by themselves', { timeout: 120_000 }, async () => {
  await page.goto(stack.link);
  await page.getByRole('heading', { name: 'Projects', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Messages' }).first().click();
  await page.getByText('Nothing was said yet').waitFor();
  await fits('the empty page of messages');

  const { stack: name } = await ask('GET', '/api/v1/session');
  await ask('POST', `/api/v1/companions/${name}/message`, { content: 'how are you?', terminal: 'desk' });
  const line = page.locator('.exchange').filter({ hasText: name });
  await line.getByText('answered').waitFor();
  assert.match(await line.innerText(), /desk/);
  assert.match(await page.innerText('main'), /is not recorded/);

  await ask('PUT', `/api/v1/forwards/${name}`, { terminal: 'desk' });
  await ask('POST', `/api/v1/companions/${name}/message`, { content: 'and now?' });
  await page.locator('.exchange').filter({ hasText: 'passed on' }).waitFor();
  await page.getByLabel('Outcome').selectOption('answered');
  await page.locator('.exchange').filter({ hasText: 'passed on' }).waitFor({ state: 'detached' });
  assert.equal(await page.locator('.exchange').count(), 1);
  await page.getByLabel('Outcome').selectOption('');
  await fits('the page of messages');
  await show(page, 'messages');
});

test('what was given up is shown with its reason', { timeout: 60_000 }, async () => {
  // Nobody can be away from a stack that is alone; the page is given what it would be told.
  const messages = [
    GIVEN_UP,
    { ...GIVEN_UP, id: '5', state: 'waiting', reason: 'nobody is there: connection refused' },
  ];
  await page.route('**/api/v1/messages', (route) => route.fulfill({ json: { items: messages } }));
  await page.reload();
  const dead = page.getByRole('region', { name: 'Given up' });
  await dead.getByText('out of ideas').waitFor();
  await dead.getByRole('button', { name: 'Try again' }).waitFor();
  await fits('what was given up');
  await show(page, 'messages-given-up');
  await dead.getByRole('button', { name: /Drop/ }).click();
  await page.getByRole('dialog').getByText('cannot be undone').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  assert.deepEqual(complaints, []);
});
