import { expect, test } from 'vitest';

import { may, roles } from './may';

test('who may more may everything that others may', () => {
  expect(roles.map((role) => may([role], 'ReadMessages'))).toEqual([false, true, true, true]);
  expect(roles.map((role) => may([role], 'RemoveContainer'))).toEqual([false, false, true, true]);
  expect(roles.map((role) => may([role], 'ListPeople'))).toEqual([false, false, false, true]);
});

test('one role that may is enough', () => {
  expect(may(['viewer', 'operator'], 'ReadAuditLog')).toBe(true);
});

test('nobody is kept from asking by a role whose meaning only the stack knows', () => {
  expect(may(['viewer', 'release-manager'], 'RemoveContainer')).toBe(true);
});

test('without a role nothing is offered', () => {
  expect(may([], 'AddProject')).toBe(false);
});
