import { useEffect, useRef } from 'react';

import type { Answer, AnswerFact, OpenQuestion } from '../api/types';
import { Prose } from '../parts/prose';
import { useRoving } from '../parts/roving';
import { scrollWithin } from '../parts/scroll-within';
import type { Lit, Pointed } from '../text/line-facts';

interface AnswersPaneProps {
  answers: readonly Answer[];
  questions: readonly OpenQuestion[];
  lit: Lit;
  onPoint: (pointed: Pointed) => void;
}

/** The answers to the six questions, each fact with the place it was read from. */
export function AnswersPane({ answers, questions, lit, onPoint }: AnswersPaneProps) {
  const roving = useRoving();
  const pane = useRef<HTMLDivElement>(null);
  const first = answers.flatMap((answer) => answer.facts)[0]?.id;

  useEffect(() => {
    if (pane.current?.matches(':hover, :focus-within')) return;
    scrollWithin(pane.current, pane.current?.querySelector<HTMLElement>('[data-lit="true"]'));
  }, [lit]);

  return (
    <div className="answers" ref={pane} onKeyDown={roving.onKeyDown}>
      {answers.map((answer) => (
        <section key={answer.topic} className="answer" data-topic={answer.topic}>
          <h3 className="answer-title">{answer.title}</h3>
          {answer.facts.length === 0 && <p className="faint note">None found.</p>}
          <ul>
            {answer.facts.map((fact) => (
              <li
                key={fact.id}
                className="fact"
                data-lit={lit.facts.has(fact.id)}
                {...roving.member(fact.id, fact.id === first)}
                onPointerEnter={() => onPoint({ fact: fact.id })}
                onPointerLeave={() => onPoint(null)}
                onFocus={() => onPoint({ fact: fact.id })}
                onBlur={() => onPoint(null)}
              >
                <Fact fact={fact} label={factLabel(answer.topic, fact.topic)} />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {questions.length > 0 && (
        <section className="answer">
          <h3 className="answer-title">Left open</h3>
          <ul>
            {questions.map((question) => (
              <li key={question.text} className="fact">
                <Prose text={question.text} />{' '}
                <span className="soft note">
                  <Prose text={question.remedy} />
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

/** What a fact is, where the question it answers does not say so already: `package manager`, `health`. */
function factLabel(question: string, topic: string): string | null {
  return topic.startsWith(question) || question.startsWith(topic) ? null : topic.replaceAll('_', ' ');
}

function Fact({ fact, label }: { fact: AnswerFact; label: string | null }) {
  return (
    <>
      <span className="fact-value">
        {label && <span className="soft">{label}</span>}
        <span className="wrap-anywhere">{fact.value}</span>
        {fact.confidence !== 'certain' && <span className="tag">{fact.confidence}</span>}
      </span>
      {fact.from && <code className="fact-from">{fact.from}</code>}
      {fact.note && (
        <span className="fact-note">
          <Prose text={fact.note} />
        </span>
      )}
    </>
  );
}
