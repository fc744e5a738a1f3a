/** The whole road, in a browser, against a real stack and a real engine: from a folder to a container that answers. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { barriers, openBrowser, show } from './browser.mjs';
import { copyExample, docker } from './project.mjs';
import { startStack } from './stack.mjs';

const SOON = 15_000;
/** A build from nothing, with downloads, on a small machine. */
const BUILD = 600_000;

const topics = ['language', 'dependencies', 'build', 'run', 'ports', 'environment'];

let stack;
let project;
let browser;
let page;
let complaints;

before(async () => {
  [stack, project] = await Promise.all([startStack(), copyExample()]);
  ({ browser, page, complaints } = await openBrowser());
  page.setDefaultTimeout(SOON);
});

after(async () => {
  await browser?.close();
  const left = project && (await docker('ps', '-aq', '--filter', `name=^/${project.name}`));
  if (left) await docker('rm', '-f', ...left.split('\n'));
  const images = project && (await docker('images', '--format', '{{.Repository}}:{{.Tag}}', project.name));
  if (images) await docker('rmi', '-f', ...images.split('\n'));
  const code = await stack?.stop();
  await Promise.all([stack?.remove(), project?.remove()]);
  if (stack) assert.equal(code, 0, `ergon up drains and exits 0 on SIGTERM:\n${stack.output()}`);
});

test('from a folder of source to a container that answers', { timeout: BUILD + 120_000 }, async (road) => {
  let stopped = false;
  const step = (name, walk) =>
    road.test(name, { skip: stopped && 'an earlier step failed' }, async () => {
      try {
        await walk();
      } catch (error) {
        stopped = true;
        await show(page, 'stopped-here');
        throw error;
      }
    });
  const card = () => page.locator('.project').filter({ hasText: project.folder });
  const dialog = () => page.getByRole('dialog');
  const openModal = async () => {
    await card().getByRole('button', { name: 'Docker' }).click();
    await dialog().waitFor();
  };

  await step('the link signs in, and its code does not stay in the address', async () => {
    await page.goto(stack.link);
    await page.getByRole('heading', { name: 'Projects', level: 1 }).waitFor();
    assert.equal(new URL(page.url()).hash, '');
    await page.getByRole('heading', { name: 'No project yet' }).waitFor();
    await show(page, '01-empty');

    const again = await page.context().browser().newPage();
    await again.goto(stack.link);
    await again.getByRole('heading', { name: 'Sign in to Ergon' }).waitFor();
    await again.getByRole('alert').waitFor();
    await again.close();
  });

  await step('a folder becomes a card', async () => {
    await page.getByLabel('Add a project').fill(project.folder);
    await page.keyboard.press('Enter');
    await card().getByText('FastAPI', { exact: false }).first().waitFor();
    assert.match(await card().innerText(), /FastAPI.*Python 3/s);
    assert.deepEqual(await barriers(page), []);
    await show(page, '02-card');
  });

  await step('🐳 shows that it works, answers six questions, and writes nothing', async () => {
    const before = await project.files();
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.route('**/docker/generate', async (route) => {
      await held;
      await route.continue();
    });
    await card().getByRole('button', { name: 'Docker' }).click();
    const working = card().getByRole('button', { name: 'Generating…' });
    await working.waitFor();
    assert.ok(await working.isDisabled());
    release();
    await dialog().waitFor();
    await page.unroute('**/docker/generate');

    const shown = await dialog()
      .locator('.answer[data-topic]')
      .evaluateAll((all) => all.map((each) => each.dataset.topic));
    assert.deepEqual(shown, topics);
    assert.match(await dialog().locator('.answers').innerText(), /requirements\.txt:\d+/);
    assert.match(await dialog().locator('.code').innerText(), /FROM\s+python:3/);
    assert.ok(await page.evaluate(() => document.querySelector('dialog').contains(document.activeElement)));

    await dialog().locator('.fact', { hasText: '8000' }).first().hover();
    await dialog().locator('.code-line[data-lit="true"]').first().waitFor();
    assert.deepEqual(await barriers(page), []);
    await show(page, '03-modal');

    for (let stop = 0; stop < 12; stop += 1) {
      await page.keyboard.press('Tab');
      assert.ok(
        await page.evaluate(() => document.querySelector('dialog').contains(document.activeElement)),
        'Tab stays inside',
      );
    }
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    assert.match(await page.evaluate(() => document.activeElement.textContent), /Docker/);

    await openModal();
    await dialog().getByRole('button', { name: 'Close' }).click();
    await dialog().waitFor({ state: 'detached' });
    assert.deepEqual(await project.files(), before);
  });

  await step('Save writes two files, and a file that differs only when told to', async () => {
    await openModal();
    await dialog().getByRole('button', { name: 'Save to project' }).click();
    await dialog().getByText('Wrote').waitFor();
    const dockerfile = await project.read('Dockerfile');
    assert.match(dockerfile, /^FROM python:3/m);
    assert.ok((await project.files()).includes('.dockerignore'));
    await dialog().getByRole('button', { name: 'Close' }).click();

    await project.write('Dockerfile', 'FROM python:latest\nCOPY . .\n');
    await openModal();
    await dialog().locator('.code-line[data-kind="removed"]', { hasText: 'python:latest' }).waitFor();
    await show(page, '04-changes');
    await dialog().getByRole('button', { name: 'Save to project' }).click();
    const overwrite = dialog().getByRole('button', { name: 'Overwrite' });
    await overwrite.waitFor();
    assert.equal(await project.read('Dockerfile'), 'FROM python:latest\nCOPY . .\n');
    await show(page, '05-differs');
    await overwrite.click();
    await dialog().getByText('Wrote').waitFor();
    assert.equal(await project.read('Dockerfile'), dockerfile);
    await dialog().getByRole('button', { name: 'Close' }).click();
    await dialog().waitFor({ state: 'detached' });
  });

  await step('Send to Ergon builds and runs it, live, to a healthy container', async () => {
    await openModal();
    await dialog().getByRole('button', { name: 'Send to Ergon' }).click();
    await page.waitForURL('**/jobs/*');
    await page.locator('.step').first().waitFor();
    await show(page, '06-steps');
    // Whatever it comes to says so; only then is it looked at.
    await page.locator('.notice').first().waitFor({ timeout: BUILD });
    const outcome = await page.locator('.notice').first().innerText();
    assert.match(outcome, /is healthy/, `${outcome}\n${await page.locator('.steps').innerText()}`);

    const manifest = JSON.parse(await project.read('ergon.json'));
    assert.equal(manifest.manifest_version, '1.0');
    const facts = await page.locator('main .facts').innerText();
    assert.match(facts, /sha256:[0-9a-f]{64}/);
    assert.equal(await page.locator('.chain-link[data-known="true"]').count(), 5);
    assert.deepEqual(await barriers(page), []);
    await show(page, '07-healthy');

    await page.locator('.chain').getByRole('link').nth(2).click();
    await page.getByRole('heading', { name: 'Evidence' }).waitFor();
    await page.getByText('linux/').waitFor();
    await page
      .locator('.picture')
      .getByRole('link', { name: /^Container/ })
      .waitFor();
    assert.deepEqual(await barriers(page), []);
    await show(page, '08-build');
  });

  await step('what it was made of leads to everything that came of it', async () => {
    await page.locator('.picture').getByRole('link', { name: /^Base/ }).first().click();
    await page.getByRole('heading', { name: 'Depends on it' }).waitFor();
    await page
      .locator('.picture')
      .getByRole('link', { name: /^Container/ })
      .first()
      .waitFor();
    assert.deepEqual(await barriers(page), []);
    await show(page, '08-base');
    await page.goBack();
    await page.getByRole('heading', { name: 'Evidence' }).waitFor();
  });

  await step('Verify builds it a second time, live, and says what came of it', async () => {
    const here = page.url();
    const panel = page.locator('.panel').filter({ has: page.getByRole('heading', { name: 'Reproducibility' }) });
    await panel.getByText('Built once.').waitFor();
    await page.getByRole('button', { name: 'Verify' }).click();
    await panel.locator('.step').first().waitFor();
    await panel.getByRole('heading', { name: 'Again, under other conditions' }).waitFor({ timeout: BUILD });
    await page.locator('.lamp', { hasText: /^(proven|not reproducible)$/ }).waitFor({ timeout: BUILD });
    const found = await panel.innerText();
    assert.match(found, /The same bits/, found);
    assert.match(found, /time zone\s+UTC\s+EST5EDT/, found);
    assert.deepEqual(await barriers(page), []);
    await show(page, '08-proven');
    assert.equal(page.url(), here, 'the page was not left');
    await page.goBack();
  });

  await step('the container answers on its port, and its page says so', async () => {
    await page.locator('.chain-link').last().getByRole('link').click();
    await page.locator('.sentence[data-wellness="well"]').waitFor();
    const port = page.locator('.measures .port').first();
    const answer = await fetch(await port.getAttribute('href'));
    assert.deepEqual(await answer.json(), { status: 'ok' });
    await page.locator('.services').getByText('uvicorn', { exact: false }).first().waitFor();
  });

  await step('its companion answers from what it measured', async () => {
    await page.getByRole('textbox', { name: /^Message to/ }).fill("What's your status?");
    await page.keyboard.press('Enter');
    await page.locator('.reply-text').waitFor();
    const reply = await page.locator('.reply-text').innerText();
    assert.match(reply, /MB|memory|uvicorn/, reply);
    await page.locator('.reply summary', { hasText: /^Evidence/ }).click();
    assert.ok((await page.locator('.reply .evidence-item').count()) > 0);
    assert.deepEqual(await barriers(page), []);
    await show(page, '09-container');
  });

  await step('every page fits a phone', async () => {
    const here = page.url();
    const size = page.viewportSize();
    await page.setViewportSize({ width: 380, height: 780 });
    for (const place of ['/projects', '/containers', here, '/registry', '/companions', '/activity', '/settings']) {
      await page.goto(new URL(place, here).href);
      await page.locator('main h1').waitFor();
      await page.locator('.skeleton').first().waitFor({ state: 'detached' });
      const wider = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.equal(wider, 0, `${place} is wider than the screen`);
      assert.deepEqual(await barriers(page), [], place);
    }
    await page.setViewportSize(size);
    await page.goto(here);
    await page.locator('.sentence[data-wellness="well"]').waitFor();
  });

  await step('when it is killed, its sentence says why without reloading', async () => {
    await page.evaluate(() => (globalThis.notReloaded = true));
    const name = await page.locator('main h1').evaluate((heading) => heading.lastChild.textContent);
    await docker('kill', name);
    const sentence = page.locator('.sentence:not([data-wellness="well"])');
    await sentence.waitFor();
    await sentence.getByText(/\b137\b|signal 9|SIGKILL|killed/i).waitFor();
    assert.ok(await page.evaluate(() => globalThis.notReloaded), 'the page was not loaded again');
    await show(page, '10-killed');
  });

  await step('when it is removed, its companion leaves the directory', async () => {
    const name = await page.locator('main h1').evaluate((heading) => heading.lastChild.textContent);
    await page.getByRole('link', { name: 'Companions' }).click();
    const companion = page
      .locator('[data-companion]')
      .filter({ has: page.getByRole('link', { name: `container ${name}`, exact: true }) });
    await companion.waitFor();
    await show(page, '11-companions');
    await docker('rm', '-f', name);
    await companion.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Activity' }).click();
    await page.locator('.feed-line').first().waitFor();
    await show(page, '12-activity');
  });

  await step('all of it without a complaint from the browser, and without the internet', () => {
    assert.deepEqual(complaints, []);
  });
});
