/** Somebody approves in the browser what a companion proposes, and sees what came of it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { barriers, openBrowser, show } from './browser.mjs';
import { docker } from './project.mjs';
import { startStack } from './stack.mjs';

const SOON = 30_000;
/** One the examples are built on. */
const IMAGE = 'python:3.11-slim';
const SERVES = ['python3', '-m', 'http.server', '8000'];

const name = `approved-${process.pid}`;
let stack;
let browser;
let page;
let complaints;

before(async () => {
  await docker('run', '-d', '--name', name, IMAGE, ...SERVES);
  stack = await startStack();
  ({ browser, page, complaints } = await openBrowser());
  page.setDefaultTimeout(SOON);
  const told = async (file) => (await readFile(path.join(stack.folder, 'data', 'stack', file), 'utf8')).trim();
  const launched = await fetch(`${await told('endpoint')}/api/v1/companions/launch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await told('token')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ container: name }),
  });
  assert.equal(launched.status, 201, await launched.text());
});

after(async () => {
  await browser?.close();
  await docker('rm', '-f', name);
  const code = await stack?.stop();
  await stack?.remove();
  if (stack) assert.equal(code, 0, stack.output());
});

const card = () => page.locator('[data-proposal]').filter({ hasText: name });

/** Nothing is wider than a phone, and nothing stands in anybody's way. */
async function fits(place) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 380, height: 780 });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wider, 0, `${place} is wider than the screen`);
  assert.deepEqual(await barriers(page), [], place);
  await page.setViewportSize(size);
}

test('what was killed is started again by a click', { timeout: 180_000 }, async () => {
  await page.goto(stack.link);
  await page.getByRole('heading', { name: 'Projects', level: 1 }).waitFor();
  await page.goto(new URL(`/containers/${name}`, page.url()).href);
  await page.locator('.sentence[data-wellness="well"]').waitFor();
  await docker('kill', name);

  // On the container's page and in its answer, without reloading.
  await card()
    .getByRole('button', { name: /^Approve/ })
    .first()
    .waitFor();
  await page.getByRole('textbox', { name: /^Message to/ }).fill('what happened?');
  await page.keyboard.press('Enter');
  await page.locator('.chat [data-proposal]').waitFor();
  await show(page, '20-proposed');
  await fits('the container');

  await page.getByRole('link', { name: /^Approvals/ }).click();
  await page.getByRole('heading', { name: 'Approvals', level: 1 }).waitFor();
  const text = await card().innerText();
  for (const part of ['docker start', 'docker stop', 'Why', 'Verified', 'expires'])
    assert.ok(text.includes(part), text);
  assert.deepEqual(await barriers(page), []);
  await show(page, '21-approvals');
  await fits('the approvals');

  await card()
    .getByRole('button', { name: /^Approve/ })
    .click();
  await page.locator('[data-proposal][data-state="done"]').filter({ hasText: name }).waitFor();
  assert.equal(await docker('inspect', '--format', '{{.State.Status}}', name), 'running');
  assert.equal(
    await card()
      .getByRole('button', { name: /^Approve/ })
      .count(),
    0,
    'an approval counts once',
  );
  assert.deepEqual(await barriers(page), []);
  await show(page, '22-approved');
  assert.deepEqual(complaints, []);
});
