import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';

import { useDropMessage, useRetryMessage } from '../api/actions';
import { useExchanges, useMay, useWaitingMessages } from '../api/queries';
import { isRefused } from '../api/problem';
import type { Exchange, WaitingMessage } from '../api/types';
import { Button } from '../parts/button';
import { Confirm } from '../parts/confirm';
import { Earlier } from '../parts/earlier';
import { Empty } from '../parts/empty';
import { Status } from '../parts/lamp';
import { Trouble } from '../parts/notice';
import { Page } from '../parts/page';
import { Skeleton } from '../parts/skeleton';
import { Ago, Took, Until } from '../parts/time';
import { bytes, count } from '../text/format';
import { exchangeSign, outcomes, outcomeWords } from '../text/exchanges';

/** What was said to whom and what came of it, live, and what waits for somebody who is away. */
export function MessagesPage() {
  return (
    <Page title="Messages">
      <div className="stack">
        <Waiting />
        <Said />
      </div>
    </Page>
  );
}

/** Messages for somebody who is away, and those that were given up. Nothing at all where there are none. */
function Waiting() {
  const list = useWaitingMessages();
  const [dropping, setDropping] = useState<WaitingMessage | null>(null);
  const waiting = list.data?.filter(({ state }) => state === 'waiting') ?? [];
  const dead = list.data?.filter(({ state }) => state === 'dead') ?? [];
  return (
    <>
      {/* Whoever may not see these may not see what was said either, and is told so there. */}
      <Trouble error={list.data || isRefused(list.error) ? null : list.error} />
      <Letters title="Given up" messages={dead} onDrop={setDropping} />
      <Letters title="Waiting for somebody to come back" messages={waiting} onDrop={setDropping} />
      {dropping && <Drop message={dropping} onClose={() => setDropping(null)} />}
    </>
  );
}

interface LettersProps {
  title: string;
  messages: readonly WaitingMessage[];
  onDrop: (message: WaitingMessage) => void;
}

function Letters({ title, messages, onDrop }: LettersProps) {
  if (messages.length === 0) return null;
  return (
    <section className="panel" aria-label={title}>
      <header className="panel-head">
        <h2 className="panel-title">{title}</h2>
        <span className="soft note">{count(messages.length, 'message')}</span>
      </header>
      <ul className="feed">
        {messages.map((message) => (
          <Letter key={message.id} message={message} onDrop={() => onDrop(message)} />
        ))}
      </ul>
    </section>
  );
}

function Letter({ message, onDrop }: { message: WaitingMessage; onDrop: () => void }) {
  const mayRetry = useMay('RetryMessage');
  const mayDrop = useMay('DropMessage');
  const retry = useRetryMessage();
  const isDead = message.state === 'dead';
  return (
    <li className="letter">
      <div className="letter-head">
        <Status sign={isDead ? 'bad' : 'off'}>{isDead ? 'given up' : 'waiting'}</Status>
        <Between from={message.from} to={message.to} />
        <span className="faint note">
          <Ago time={message.created_at} />
        </span>
      </div>
      <p className="letter-text one-line">{message.content}</p>
      <div className="letter-foot">
        <span className="soft note">
          {message.reason}
          {!isDead && (
            <>
              {message.reason && ' · '}
              tried {count(message.tries, 'time')} · given up <Until time={message.expires_at} />
            </>
          )}
        </span>
        <span className="row">
          {isDead && mayRetry && (
            <Button busy={retry.isPending && 'Trying…'} onClick={() => retry.mutate(message.id)}>
              Try again
            </Button>
          )}
          {mayDrop && (
            <Button kind="quiet" aria-label={`Drop the message to ${message.to}`} onClick={onDrop}>
              Drop
            </Button>
          )}
        </span>
      </div>
      <Trouble error={retry.error} />
    </li>
  );
}

function Drop({ message, onClose }: { message: WaitingMessage; onClose: () => void }) {
  const drop = useDropMessage();
  return (
    <Confirm
      title="Drop this message?"
      act="Drop"
      busy={drop.isPending && 'Dropping…'}
      error={drop.error}
      onConfirm={() => drop.mutate(message.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        What {message.from} said to {message.to} is forgotten. This cannot be undone.
      </p>
    </Confirm>
  );
}

function Said() {
  const [to, setTo] = useState('');
  const [outcome, setOutcome] = useState('');
  const pages = useExchanges({ to: to.trim(), outcome });
  const exchanges = pages.data?.pages.flatMap(({ items }) => items) ?? [];
  const isFiltered = Boolean(to.trim() || outcome);
  return (
    <>
      {!isRefused(pages.error) && (
        <div className="row messages-filter">
          <label className="field">
            <span className="field-label">To</span>
            <input
              className="input"
              type="search"
              value={to}
              placeholder="a whole name"
              spellCheck={false}
              onChange={(event) => setTo(event.target.value)}
            />
          </label>
          <label className="field">
            <span className="field-label">Outcome</span>
            <select className="input" value={outcome} onChange={(event) => setOutcome(event.target.value)}>
              <option value="">any</option>
              {outcomes.map((each) => (
                <option key={each} value={each}>
                  {outcomeWords(each)}
                </option>
              ))}
            </select>
          </label>
        </div>
      )}
      {pages.isPending && <Skeleton count={6} />}
      <Trouble error={pages.data ? null : pages.error} />
      {pages.data && exchanges.length === 0 && !isFiltered && (
        <Empty title="Nothing was said yet">
          <p className="soft">
            Whatever is said to a companion shows up here by itself: who said it, to whom, and what came of it. Ask{' '}
            <Link href="/companions">one of them</Link> something.
          </p>
        </Empty>
      )}
      {pages.data && exchanges.length === 0 && isFiltered && <p className="soft">Nothing like that was said.</p>}
      {exchanges.length > 0 && (
        <>
          <ol className="panel feed" aria-label="Exchanges, newest first">
            {exchanges.map((exchange) => (
              <Line key={exchange.id} exchange={exchange} />
            ))}
          </ol>
          <Earlier pages={pages} />
          <p className="faint note">
            {pages.data?.pages[0]?.keeps_messages
              ? 'This stack records what was said, too.'
              : 'What was said is not recorded, unless the stack is started with --keep-messages.'}
          </p>
        </>
      )}
    </>
  );
}

function Line({ exchange }: { exchange: Exchange }) {
  const sign = exchangeSign(exchange);
  const words: ReactNode = exchange.message && (
    <details className="disclosure exchange-words">
      <summary className="soft note">What was said</summary>
      <p className="letter-text">{exchange.message}</p>
      {exchange.answer && <p className="letter-text soft">{exchange.answer}</p>}
    </details>
  );
  return (
    <li className="exchange">
      <span className="exchange-time faint note">
        <Ago time={exchange.began_at} />
      </span>
      <span className="exchange-between one-line">
        <Between from={exchange.from} to={exchange.to} />
        {exchange.team && <span className="soft note"> in a team chat</span>}
      </span>
      <span className="exchange-outcome">
        <Status sign={sign}>{outcomeWords(exchange.outcome)}</Status>
      </span>
      <span className="exchange-detail soft note">
        {exchange.way} · <Took milliseconds={exchange.milliseconds} /> · {bytes(exchange.bytes_sent)} there,{' '}
        {bytes(exchange.bytes_received)} back{exchange.reason && ` · ${exchange.reason}`}
      </span>
      {words}
    </li>
  );
}

function Between({ from, to }: { from: string; to: string }) {
  return (
    <span>
      {from} <span aria-label="to">→</span> <Link href={`/companions/${encodeURIComponent(to)}`}>{to}</Link>
    </span>
  );
}
