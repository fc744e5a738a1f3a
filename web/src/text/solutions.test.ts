import { describe, expect, it } from 'vitest';

import type { Solution } from '../api/types';
import { fits, verdict } from './solutions';

const solution: Solution = {
  name: 'shop',
  version: '1.0.0',
  kind: 'container',
  description: 'Sells things',
  keywords: ['web'],
  digest: 'sha256:0',
  images: [],
  needs: [],
  dependents: [],
  standards: [
    { name: 'pinned', state: 'met', why: '' },
    { name: 'proven', state: 'not-met', why: '' },
    { name: 'health-check', state: 'not-applicable', why: '' },
  ],
  meets_standards: false,
  secrets: [],
  versions: ['1.0.0'],
  added_at: '2026-01-02T14:03:00Z',
};

describe('a solution', () => {
  it('says which standards it lacks', () => {
    expect(verdict(solution)).toEqual({ sign: 'warn', label: 'lacks proven' });
    expect(verdict({ ...solution, meets_standards: true }).sign).toBe('good');
  });

  it('is found by words that are all in what is said of it', () => {
    expect(fits(solution, 'SELLS web')).toBe(true);
    expect(fits(solution, 'lacks proven')).toBe(true);
    expect(fits(solution, 'sells nothing')).toBe(false);
    expect(fits(solution, '')).toBe(true);
  });
});
