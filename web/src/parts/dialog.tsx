import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from 'react';

import { Button } from './button';
import { Icon } from './icon';

interface DialogProps {
  title: ReactNode;
  onClose: () => void;
  size?: 'small' | 'wide';
  children: ReactNode;
  footer: ReactNode;
}

/** A modal dialog: Escape closes it, the focus stays inside and goes back to where it came from. */
export function Dialog({ title, onClose, size = 'small', children, footer }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const label = useId();

  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    heading.current?.focus();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before !== document.body) before.focus();
    };
  }, []);

  return (
    <dialog
      ref={dialog}
      className="dialog"
      data-size={size}
      aria-labelledby={label}
      onKeyDown={(event) => keepFocusInside(event, dialog.current)}
      onCancel={(event) => {
        // The page decides what is open: it takes the dialog away.
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <header className="dialog-head">
        <h2 className="dialog-title" id={label} ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <Button kind="quiet" aria-label="Dismiss" onClick={onClose}>
          <Icon name="cross" />
        </Button>
      </header>
      <div className="dialog-body">{children}</div>
      <footer className="dialog-foot">{footer}</footer>
    </dialog>
  );
}

/** The browser lets Tab walk out of a modal dialog into its own bars; here it goes round. */
function keepFocusInside(event: KeyboardEvent, dialog: HTMLDialogElement | null) {
  if (event.key !== 'Tab' || !dialog) return;
  const places = [
    ...dialog.querySelectorAll<HTMLElement>('a[href], button, input, textarea, summary, [tabindex="0"]'),
  ].filter((place) => !place.matches(':disabled') && place.checkVisibility());
  const first = places[0];
  const last = places.at(-1);
  if (event.shiftKey && (document.activeElement === first || !places.includes(document.activeElement as HTMLElement))) {
    event.preventDefault();
    last?.focus();
  } else if (!event.shiftKey && document.activeElement === last) {
    event.preventDefault();
    first?.focus();
  }
}
