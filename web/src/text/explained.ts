/** What a language model says later, put below an answer that is shown already. */
import type { Evidence, Reply, Thought } from '../api/types';

/** `I was killed.` and 2 → `I was killed [2].` */
function citing(text: string, numbers: readonly number[]): string {
  const end = /[.!?]$/.exec(text)?.[0] ?? '.';
  const sentence = text.replace(/[.!? ]+$/, '');
  return `${sentence} ${numbers.map((number) => `[${number}]`).join('')}${end}`;
}

/** The answer with the explanation, and with the evidence that it did not have yet. */
export function explained(reply: Reply, thought: Thought): Reply {
  const evidence: Evidence[] = [...reply.evidence];
  const cited = new Set<number>();
  const number = (piece: Evidence): number => {
    const known = evidence.find(({ text, source }) => text === piece.text && source === piece.source);
    if (known) return known.number;
    const next = Math.max(0, ...evidence.map((item) => item.number)) + 1;
    evidence.push({ ...piece, number: next });
    return next;
  };
  const sentences = thought.sentences.map((sentence) => {
    const numbers = [...new Set(sentence.evidence.map(number))].sort((a, b) => a - b);
    for (const cite of numbers) cited.add(cite);
    return citing(sentence.text, numbers);
  });
  return {
    ...reply,
    evidence,
    explanation: {
      content: sentences.join(' '),
      evidence: [...cited].sort((a, b) => a - b),
      model: thought.model,
      time: thought.time,
      dropped: thought.dropped,
    },
  };
}
