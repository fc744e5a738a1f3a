import { type KeyboardEvent, type SyntheticEvent, useEffect, useRef, useState } from 'react';

import { useSendMessage } from '../api/actions';
import { useMay } from '../api/queries';
import { Button } from '../parts/button';
import { Icon } from '../parts/icon';
import { Trouble } from '../parts/notice';
import { addTurn, useConversation } from './conversations';
import { ReplyView } from './reply';

const suggestions: Record<string, readonly string[]> = {
  container: ['What’s your status?', 'What happened?', 'What services do you run?'],
  project: ['What’s your status?', 'How is it built?', 'What environment does it need?'],
  tekton: ['What’s your status?', 'Who is there?'],
};

/** The kinds of companions that are the stack's own: they answer and change nothing. */
const own: readonly string[] = ['container', 'project', 'tekton'];

/** A conversation with one companion. Its answers are computed; nothing it says is carried out. */
export function ChatPanel({ companion, kind }: { companion: string; kind: string }) {
  const turns = useConversation(companion);
  const maySendToAnybody = useMay('SendToAnybody');
  const send = useSendMessage();
  const [draft, setDraft] = useState('');
  const end = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    const log = end.current?.parentElement;
    if (log && turns.length) log.scrollTop = log.scrollHeight;
  }, [turns, send.isPending]);

  const say = (content: string) => {
    const text = content.trim();
    if (!text || send.isPending) return;
    addTurn(companion, { said: 'person', content: text });
    setDraft('');
    send.mutate(
      // Straight quotes, as they are typed in a terminal.
      { name: companion, content: text.replaceAll('’', "'") },
      {
        onSuccess: (sent) =>
          addTurn(
            companion,
            'sentence' in sent ? { said: 'stack', delivery: sent } : { said: 'companion', reply: sent },
          ),
        onError: (error) => addTurn(companion, { said: 'nothing', error }),
      },
    );
    box.current?.focus();
  };

  if (!own.includes(kind) && !maySendToAnybody) {
    return (
      <section className="chat panel" id="chat" aria-label={companion}>
        <header className="panel-head">
          <h2 className="panel-title">{companion}</h2>
        </header>
        <p className="panel-body soft">It is none of the stack’s own companions; developers may talk to it.</p>
      </section>
    );
  }

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    say(draft);
  };

  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
  };

  return (
    <section className="chat panel" id="chat" aria-label={`Conversation with ${companion}`}>
      <header className="panel-head">
        <h2 className="panel-title">{companion}</h2>
      </header>
      <div className="chat-log" role="log" aria-live="polite" aria-label="Conversation" tabIndex={0}>
        {turns.length === 0 && (
          <p className="faint">Ask it anything about what it looks after. It answers from what it measured.</p>
        )}
        {turns.map((turn, place) => (
          <div key={place} className="turn" data-said={turn.said}>
            {turn.said === 'person' && <p className="turn-text">{turn.content}</p>}
            {turn.said === 'companion' && <ReplyView reply={turn.reply} />}
            {turn.said === 'stack' && <p className="soft">{turn.delivery.sentence}</p>}
            {turn.said === 'nothing' && <Trouble error={turn.error} />}
          </div>
        ))}
        {send.isPending && (
          <p className="soft row">
            <span className="spinner" aria-hidden="true" /> Looking…
          </p>
        )}
        <div ref={end} />
      </div>
      <div className="chat-suggestions" aria-label="Suggested questions" role="group">
        {(suggestions[kind] ?? suggestions['container'] ?? []).map((question) => (
          <button
            key={question}
            type="button"
            className="suggestion"
            disabled={send.isPending}
            onClick={() => say(question)}
          >
            {question}
          </button>
        ))}
      </div>
      <form className="chat-form" onSubmit={submit}>
        <textarea
          ref={box}
          className="input"
          rows={1}
          aria-label={`Message to ${companion}`}
          placeholder="Ask something"
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={keys}
        />
        <Button kind="primary" type="submit" aria-label="Send" disabled={!draft.trim() || send.isPending}>
          <Icon name="send" />
        </Button>
      </form>
    </section>
  );
}
