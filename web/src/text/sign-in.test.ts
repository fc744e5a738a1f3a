import { expect, test } from 'vitest';

import { codeIn, ownPage, passwordLack, returnedIn } from './sign-in';

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

test('what one comes back with is read, and nothing of what else stands there', () => {
  expect(returnedIn('?code=a&state=b&iss=https%3A%2F%2Fc')).toEqual({ code: 'a', state: 'b', iss: 'https://c' });
  expect(returnedIn('?code=a&state=b')).toEqual({ code: 'a', state: 'b' });
  expect(returnedIn('?error=access_denied&error_description=Call%20me')).toEqual({
    refused: 'You were not let in there, or said no.',
  });
  for (const search of ['', '?code=a', '?state=b', '?error=toString', '?error=<b>']) {
    expect(returnedIn(search)).toEqual({ refused: 'The other system let nobody in, and does not say why.' });
  }
});

test('one comes back to a page of ours and to nothing else', () => {
  expect(ownPage('/projects?x=1')).toBe('/projects?x=1');
  for (const path of [
    null,
    '',
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'a',
    '/signed-in?code=x',
  ]) {
    expect(ownPage(path)).toBe('/');
  }
});
