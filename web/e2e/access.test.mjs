/** Somebody is let in under a name of their own, chooses a password, and sees what is for a viewer and no errors. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { barriers, openBrowser, show } from './browser.mjs';
import { startStack } from './stack.mjs';

const SOON = 30_000;
const PASSWORD = 'vera looks at things';

let stack;
let browser;
/** The owner's page, and that of whoever is let in: two browsers that share nothing. */
let owner;
let vera;
let complaints;

before(async () => {
  stack = await startStack();
  const [one, other] = await Promise.all([openBrowser(), openBrowser()]);
  browser = [one.browser, other.browser];
  [owner, vera] = [one.page, other.page];
  complaints = [one.complaints, other.complaints];
  for (const page of [owner, vera]) page.setDefaultTimeout(SOON);
});

after(async () => {
  await Promise.all((browser ?? []).map((each) => each.close()));
  const code = await stack?.stop();
  await stack?.remove();
  if (stack) assert.equal(code, 0, stack.output());
});

const at = (path) => new URL(path, stack.link).href;
const heading = (page, name) => page.getByRole('heading', { name, level: 1 }).waitFor();

/** Nothing is wider than a phone, and nothing stands in anybody's way. */
async function fits(page, place) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 380, height: 780 });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wider, 0, `${place} is wider than the screen`);
  assert.deepEqual(await barriers(page), [], place);
  await page.setViewportSize(size);
}

test('from a link to leaving', { timeout: 180_000 }, async (road) => {
  let stopped = false;
  const step = (name, walk) =>
    road.test(name, { skip: stopped && 'an earlier step failed' }, async () => {
      try {
        await walk();
      } catch (error) {
        stopped = true;
        await show(vera, 'stopped-here');
        throw error;
      }
    });

  await step('an owner adds a viewer, who comes in with the link and chooses a password', async () => {
    await owner.goto(stack.link);
    await owner.getByRole('link', { name: 'Access' }).click();
    await heading(owner, 'People');
    await owner.getByRole('button', { name: 'Add somebody' }).click();
    await owner.getByLabel('Name', { exact: true }).fill('vera');
    await owner.getByRole('button', { name: 'Add', exact: true }).click();
    const link = await owner.locator('[data-shown-once="link"]').innerText();
    await show(owner, '30-link');
    await owner.getByRole('button', { name: 'I have it' }).click();
    await owner.locator('[data-person="vera"]').getByText('no password').waitFor();
    await fits(owner, 'the people');

    await vera.goto(link);
    await heading(vera, 'Projects');
    assert.equal(new URL(vera.url()).hash, '', 'the code does not stay in the address');
    await show(vera, '31-invited');
    await vera.getByRole('button', { name: 'Choose a password' }).click();
    await heading(vera, 'vera');
    await vera.getByLabel('New password').fill('too short');
    assert.ok(await vera.getByRole('button', { name: 'Choose password' }).isDisabled());
    await vera.getByLabel('New password').fill(PASSWORD);
    await vera.keyboard.press('Enter');
    await vera.getByText('From now on').waitFor();
    await fits(vera, 'the account');
    await show(vera, '32-account');
    // Live, where somebody else looks.
    await owner.locator('[data-person="vera"]').getByText('has a password').waitFor();
    await vera.getByRole('button', { name: 'Sign out' }).first().click();
    await vera.getByRole('heading', { name: 'Sign in to Ergon' }).waitFor();
  });

  await step('a wrong password says so, and the right one lets in', async () => {
    await vera.getByLabel('Name', { exact: true }).fill('vera');
    await vera.getByLabel('Password', { exact: true }).fill('not what she chose');
    await vera.keyboard.press('Enter');
    await vera.getByRole('alert').getByText('this is not somebody').waitFor();
    await fits(vera, 'signing in');
    await show(vera, '33-wrong');
    await vera.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await vera.keyboard.press('Enter');
    await vera.getByRole('banner').getByText('vera').waitFor();
  });

  await step('a viewer sees every page that is theirs without an error, and is not offered what is not', async () => {
    const places = ['/projects', '/containers', '/registry', '/solutions', '/companions', '/approvals', '/activity'];
    for (const place of [...places, '/settings', '/account']) {
      await vera.goto(at(place));
      await vera.locator('main h1').waitFor();
      await vera.locator('.skeleton').first().waitFor({ state: 'detached' });
      assert.equal(await vera.locator('.notice').count(), 0, `${place}: ${await vera.locator('main').innerText()}`);
      await fits(vera, place);
    }
    for (const name of ['Access', 'Messages']) assert.equal(await vera.getByRole('link', { name }).count(), 0, name);
    await vera.goto(at('/projects'));
    await heading(vera, 'Projects');
    assert.equal(await vera.getByLabel('Add a project').count(), 0);
  });

  await step('a page that is not for a viewer says so in one place', async () => {
    for (const place of ['/messages', '/people', '/people/owner', '/policies', '/write-policy', '/audit']) {
      await vera.goto(at(place));
      await vera.locator('.notice[data-kind="refused"]').getByText('vera may not do this').waitFor();
      assert.equal(await vera.locator('.notice').count(), 1, place);
      assert.equal(await vera.locator('main input, main .button').count(), 0, place);
      await fits(vera, place);
    }
    await show(vera, '34-refused');
  });

  await step('a viewer who is made an operator is offered more without loading the page again', async () => {
    await vera.goto(at('/projects'));
    await vera.evaluate(() => (globalThis.notReloaded = true));
    await owner.getByRole('link', { name: 'vera' }).click();
    await owner.getByRole('checkbox', { name: /^operator/ }).check();
    await owner.getByRole('button', { name: 'Change roles' }).click();
    await vera.getByRole('link', { name: 'Access' }).click();
    await heading(vera, 'Policies');
    assert.ok(await vera.evaluate(() => globalThis.notReloaded));
  });

  await step('policies are asked, and one with a fault is not kept', async () => {
    await owner.goto(at('/policies'));
    await owner.getByLabel('Who', { exact: true }).fill('role:viewer');
    await owner.getByLabel('Does what').fill('RemoveContainer');
    await owner.keyboard.press('Enter');
    await owner.locator('.answer-of-policies[data-allowed="false"]').waitFor();
    await owner.getByLabel('Does what').fill('ListContainers');
    await owner.keyboard.press('Enter');
    await owner.locator('.answer-of-policies[data-allowed="true"]').getByText('viewer/reads').first().waitFor();
    await fits(owner, 'the policies');
    await show(owner, '35-policies');

    await owner.getByRole('button', { name: 'Write one' }).click();
    await owner.getByLabel('Name', { exact: true }).fill('nights');
    const text = owner.getByRole('textbox', { name: 'The policies' });
    const right = await text.inputValue();
    await text.fill(right.replace('"RemoveContainer"', '"RemoveContainr"'));
    await owner.locator('[data-fault="5"]').waitFor();
    assert.ok(await owner.getByRole('button', { name: 'Keep' }).isDisabled());
    await fits(owner, 'the editor');
    await show(owner, '36-faults');
    await text.fill(right);
    await owner.getByText('nothing is wrong with it').waitFor();
    await owner.getByRole('button', { name: 'Keep' }).click();
    await owner.locator('[data-policy="nights"]').waitFor();
    // Live, for an operator who looks at them.
    await vera.locator('[data-policy="nights"]').waitFor();
  });

  await step('what was denied is in the log with who it was, and the log is what it was', async () => {
    await owner.goto(at('/audit'));
    await owner.getByLabel('Who', { exact: true }).fill('vera');
    await owner.getByLabel('Decision').selectOption('deny');
    const denied = owner.locator('[data-entry]').filter({ hasText: 'ListPeople' }).first();
    await denied.getByText('no policy spoke of it').waitFor();
    await owner.getByRole('button', { name: 'Verify' }).click();
    await owner.getByRole('status').getByText('No entry was changed, dropped or moved').waitFor();
    await fits(owner, 'the audit log');
    await show(owner, '37-audit');
  });

  await step('somebody is removed by their name, and is out at once', async () => {
    await owner.goto(at('/people/vera'));
    await owner.getByRole('button', { name: 'Remove', exact: true }).click();
    const remove = owner.getByRole('button', { name: 'Remove vera' });
    await owner.getByLabel('Write vera to remove them').fill('ver');
    assert.ok(await remove.isDisabled());
    await owner.getByLabel('Write vera to remove them').fill('vera');
    await remove.click();
    await heading(owner, 'People');
    assert.equal(await owner.locator('[data-person="vera"]').count(), 0);
    await vera.goto(at('/projects'));
    await vera.getByRole('heading', { name: 'Sign in to Ergon' }).waitFor();
    assert.deepEqual(complaints, [[], []]);
  });
});
