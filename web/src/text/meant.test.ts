import { expect, test } from 'vitest';

import type { Build, Container } from '../api/types';
import { meantVersusIs } from './meant';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

const build = {
  build_hash: digest('4'),
  images: [{ container: 'web', image_digest: digest('8'), tags: [], size: 1 }],
  manifest: {
    applications: { api: { run_command: 'uvicorn main:app', ports: [8000] } },
    containers: { web: { base_image: 'python:3.11-slim', applications: ['api'], ports: [8000] } },
  },
} as unknown as Build;

const container = {
  name: 'web',
  state: 'running',
  image_digest: digest('8'),
  ports: [{ container: 8000, address: '127.0.0.1', host: 18000 }],
  services: [{ name: 'uvicorn', role: 'web server', pid: 1, ports: [8000], command: 'uvicorn main:app' }],
} as unknown as Container;

const agreement = (changes: Partial<Container>) =>
  Object.fromEntries(meantVersusIs(build, { ...container, ...changes }).map((row) => [row.what, row.agrees]));

test('a container that is what was meant agrees', () => {
  expect(agreement({})).toEqual({ Image: true, Runs: null, Ports: true });
});

test('another image, no process and a closed port disagree', () => {
  expect(agreement({ image_digest: digest('9'), services: [], ports: [] })).toEqual({
    Image: false,
    Runs: false,
    Ports: false,
  });
});

test('a stopped container is not blamed for what does not run in it', () => {
  expect(agreement({ state: 'exited', services: [], ports: [] })).toMatchObject({ Runs: null, Ports: null });
});
