import { expect, test } from 'vitest';

import { bytesOf, calledAfter, creation, request, textOf, whyNot } from './passkey';

test('bytes are the same bytes after they were text', () => {
  for (const text of ['', 'AA', 'AAE', '-_8', '_w']) {
    expect(textOf(bytesOf(text).buffer)).toBe(text);
  }
  expect([...bytesOf('-_8')]).toEqual([251, 255]);
  expect(textOf(null)).toBeNull();
});

test('what is asked for is what the stack said, with bytes where they belong', () => {
  const asked = creation({
    challenge: 'AQI',
    rp: { id: 'localhost', name: 'localhost' },
    user: { id: 'Aw', name: 'ada', displayName: '' },
    excludeCredentials: [{ type: 'public-key', id: 'BA' }],
    timeout: 300000,
  }).publicKey;
  expect(asked?.challenge).toEqual(Uint8Array.of(1, 2));
  expect(asked?.user).toEqual({ id: Uint8Array.of(3), name: 'ada', displayName: '' });
  expect(asked?.excludeCredentials).toEqual([{ type: 'public-key', id: Uint8Array.of(4) }]);
  expect(asked?.timeout).toBe(300000);
  const shown = request({ challenge: 'AQI', rpId: 'localhost', userVerification: 'required' });
  expect(shown.publicKey?.challenge).toEqual(Uint8Array.of(1, 2));
  expect(shown.publicKey?.userVerification).toBe('required');
  expect(shown.publicKey?.allowCredentials).toEqual([]);
});

test('what the browser says is said in words', () => {
  expect(String(whyNot(new DOMException('x', 'NotAllowedError')))).toContain('called off');
  expect(String(whyNot(new DOMException('odd', 'OddError')))).toContain('odd');
  expect(String(whyNot(new DOMException('odd', 'toString')))).toContain('odd');
  const other = new Error('other');
  expect(whyNot(other)).toBe(other);
});

test('a passkey is called after where it is', () => {
  expect(calledAfter('Mozilla/5.0 (X11; Linux x86_64) Chrome/140')).toBe('Linux');
  expect(calledAfter('Mozilla/5.0 (Linux; Android 16)')).toBe('Android');
  expect(calledAfter('')).toBe('passkey');
});
