import { describe, expect, it } from 'vitest';

import { levelSign, perMinute } from './log';

describe('a kind of log line', () => {
  it('tells its rate, and the rate before where it is known', () => {
    expect(perMinute({ per_minute: 280, per_minute_before: null })).toBe('2.8 a minute');
    expect(perMinute({ per_minute: 123_456, per_minute_before: 0 })).toBe('1234 a minute, before 0');
  });

  it('has the sign of its level', () => {
    expect([levelSign('fatal'), levelSign('warning'), levelSign('info')]).toEqual(['bad', 'warn', 'off']);
  });
});
