import { expect, test } from 'vitest';

import { actionsIn, cedarLines, faultWords, placeIn } from './cedar';

const kinds = (line: string) =>
  cedarLines(line)[0]
    ?.filter(({ text }) => text.trim())
    .map(({ kind, text }) => `${kind} ${text.trim()}`);

test('a line is coloured by what its pieces are', () => {
  expect(kinds('@id("nights") // by day')).toEqual([
    'annotation @id',
    'text (',
    'string "nights"',
    'text )',
    'comment // by day',
  ]);
  expect(kinds('when { context.hour < 8 };')).toEqual([
    'keyword when',
    'text {',
    'variable context',
    'text .',
    'text hour',
    'text <',
    'text 8',
    'text };',
  ]);
});

test('nothing of a text is lost, whatever it is', () => {
  for (const text of ['', '\n\n', '"open', 'a / b // c\n"//"', 'Ergon::Action::"x\\"y"', '@ @1 ü 🐳 \u0000']) {
    const again = cedarLines(text)
      .map((line) => line.map((piece) => piece.text).join(''))
      .join('\n');
    expect(again).toBe(text);
  }
});

test('slashes and escaped quotes in a string are part of it', () => {
  expect(kinds('"x\\"y" in')).toEqual(['string "x\\"y"', 'keyword in']);
  expect(kinds('"a//b" in')).toEqual(['string "a//b"', 'keyword in']);
});

test('actions are known by their schema, groups are not among them', () => {
  const schema = `action "reads";
action StopContainer in ["destroys"] appliesTo { principal: [Person, Robot], resource: [Container], context: C };
action "ReadHealth" in ["reads", "open"] appliesTo { principal: [Person], resource: [Stack], context: C };`;
  expect(actionsIn(schema)).toEqual([
    { name: 'ReadHealth', kind: 'Stack' },
    { name: 'StopContainer', kind: 'Container' },
  ]);
  expect(actionsIn('no schema')).toEqual([]);
});

test('a fault is told without numbers that nobody wrote', () => {
  expect(faultWords('for policy `policy0`, unrecognized action `X`')).toBe('unrecognized action `X`');
  expect(faultWords('for policy `nights`, it is wrong')).toBe('for policy `nights`, it is wrong');
});

test('a place outside of a text is at its end', () => {
  expect(placeIn('ab\ncd', 2, 2)).toBe(4);
  expect(placeIn('ab\ncd', 0, 0)).toBe(0);
  expect(placeIn('ab\ncd', 9, 9)).toBe(5);
});
