import { expect, test } from 'vitest';

import { currentStep, linesByStep, rounds, withLines, withStep } from './job-progress';
import type { Job } from './types';

const job: Job = {
  id: 'j1',
  kind: 'handoff',
  project_id: 'p1',
  project_name: 'fastapi',
  state: 'queued',
  created_at: '2026-01-01T00:00:00Z',
  steps: [],
};
const line = (number: number, step = 0) => ({ number, step, text: `line ${number}` });

test('steps of a second and a third build begin where a comparison ended', () => {
  const step = (name: string, again = false) => ({ name, detail: '', state: 'done', ...(again && { again }) });
  expect(rounds([step('source'), step('image')])).toEqual([0]);
  const twice = [step('source'), step('image'), step('build', true), step('verify', true)];
  expect(rounds(twice)).toEqual([0, 2]);
  expect(rounds([...twice, step('build', true), step('verify', true)])).toEqual([0, 2, 4]);
});

test('a step sets a queued job going', () => {
  const running = withStep(job, 0, { name: 'source', detail: '', state: 'running' });
  expect(running.state).toBe('running');
  expect(currentStep(running)).toBe('source');
});

test('a step that is told twice is there once', () => {
  const once = withStep(job, 0, { name: 'source', detail: 'c66f', state: 'running' });
  const done = withStep(once, 0, { name: 'source', detail: 'c66f', state: 'done', milliseconds: 4 });
  expect(done.steps).toEqual([{ name: 'source', detail: 'c66f', state: 'done', milliseconds: 4 }]);
});

test('a stream joined in the middle keeps the places of steps', () => {
  expect(withStep(job, 2, { name: 'image', detail: '', state: 'running' }).steps.map((step) => step.name)).toEqual([
    '',
    '',
    'image',
  ]);
});

test('lines that a stream repeats are kept once and in order', () => {
  const log = withLines([line(1), line(2)], [line(2), line(3)]);
  expect(log.map(({ number }) => number)).toEqual([1, 2, 3]);
  expect(withLines(log, [line(1), line(3)])).toBe(log);
  expect(withLines([line(3)], [line(1), line(2), line(3)]).map(({ number }) => number)).toEqual([1, 2, 3]);
});

test('lines are found under their step', () => {
  expect(
    linesByStep([line(1, 0), line(2, 1), line(3, 1)])
      .get(1)
      ?.map(({ number }) => number),
  ).toEqual([2, 3]);
});

test('the last running step is what is going on', () => {
  const steps = [
    { name: 'base', detail: 'python:3.11-slim', state: 'done' },
    { name: 'install', detail: 'pip install', state: 'running' },
  ];
  expect(currentStep({ ...job, state: 'running', steps })).toBe('install: pip install');
  expect(currentStep(job)).toBe('waiting for its turn');
});
