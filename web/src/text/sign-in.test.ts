import { expect, test } from 'vitest';

import { codeIn, passwordLack } from './sign-in';

test('a code is taken out of the link it stands in', () => {
  expect(codeIn(' http://localhost:7411/#code=abc-1 ')).toBe('abc-1');
  expect(codeIn('http://localhost:7411/#code=abc&next=x')).toBe('abc');
  expect(codeIn(' abc-1\n')).toBe('abc-1');
  expect(codeIn('   ')).toBe('');
});

test('it is said how much is missing of a password', () => {
  expect(passwordLack('')).toContain('12 characters or more');
  expect(passwordLack('eleven char')).toBe('1 more character.');
  expect(passwordLack('short')).toBe('7 more characters.');
  expect(passwordLack('twelve chars')).toBeNull();
  expect(passwordLack('🐳🐳🐳🐳🐳🐳'), 'one whale is one character').toBe('6 more characters.');
});
