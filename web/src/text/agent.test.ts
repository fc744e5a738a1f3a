import { expect, test } from 'vitest';

import { agentWords } from './agent';

test('browsers are called what people call them', () => {
  expect(agentWords('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')).toBe('Firefox on Linux');
  const chrome = 'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36';
  expect(agentWords(chrome)).toBe('Chrome on Windows');
  expect(agentWords(`${chrome} Edg/140.0`)).toBe('Edge on Windows');
  const phone =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604.1';
  expect(agentWords(phone)).toBe('Safari on iPhone');
});

test('whatever is none of these is called what it calls itself', () => {
  expect(agentWords('curl/8.5.0')).toBe('curl 8.5.0');
  expect(agentWords('')).toBe('something that does not say what it is');
  expect(agentWords('   ')).toBe('something that does not say what it is');
});
