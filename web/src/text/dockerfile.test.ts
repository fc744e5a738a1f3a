import { expect, test } from 'vitest';

import { linesOf, tokenise } from './dockerfile';

const compact = (text: string) =>
  tokenise(text).map((line) =>
    line
      .filter((token) => token.text.trim())
      .map((token) => `${token.kind}:${token.text.trim()}`)
      .join(' '),
  );

test('instructions, flags, variables, strings and comments are told apart', () => {
  expect(
    compact(`# syntax
FROM python:3.11-slim AS build
COPY --chown=1:1 requirements.txt ./
ENV PORT=8000 PATH="/app/bin:$PATH" HOME=\${ROOT}
CMD ["uvicorn", "main:app"]`),
  ).toMatchInlineSnapshot(`
    [
      "comment:# syntax",
      "instruction:FROM plain:python:3.11-slim keyword:AS plain:build",
      "instruction:COPY flag:--chown=1:1 plain:requirements.txt ./",
      "instruction:ENV plain:PORT operator:= plain:8000 PATH operator:= string:"/app/bin:$PATH" plain:HOME operator:= variable:\${ROOT}",
      "instruction:CMD operator:[ string:"uvicorn" operator:, string:"main:app" operator:]",
    ]
  `);
});

test('a continued line begins no instruction, and a comment between them changes nothing', () => {
  expect(compact('RUN apt-get update \\\n# why\n  && copy this\nUSER app')).toEqual([
    'instruction:RUN plain:apt-get update operator:\\',
    'comment:# why',
    'operator:&& plain:copy this',
    'instruction:USER plain:app',
  ]);
});

test('a heredoc is text until its end', () => {
  expect(compact('RUN <<EOF\nCOPY is not one\nEOF\nUSER app')).toEqual([
    'instruction:RUN operator:< operator:< plain:EOF',
    'string:COPY is not one',
    'operator:EOF',
    'instruction:USER plain:app',
  ]);
});

test('nothing is lost: tokens joined are the text', () => {
  for (const text of [
    'FROM a\nRUN echo "unfinished\n',
    "ENV A='b' C=$D-$E \\",
    '\tRUN  x&y | z  ',
    'random & bits $ -- - é🐳',
    '',
  ]) {
    const joined = tokenise(text).map((line) => line.map((token) => token.text).join(''));
    expect(joined).toEqual(linesOf(text));
  }
});
