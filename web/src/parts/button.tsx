import type { ButtonHTMLAttributes } from 'react';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: 'primary' | 'plain' | 'danger' | 'quiet';
  /** Shown instead of the label, with the button disabled, while something is being done. */
  busy?: string | false | undefined;
  ref?: React.Ref<HTMLButtonElement>;
}

export function Button({ kind = 'plain', busy = false, disabled, children, ...rest }: ButtonProps) {
  return (
    <button type="button" className="button" data-kind={kind} disabled={Boolean(disabled) || Boolean(busy)} {...rest}>
      {busy ? (
        <>
          <span className="spinner" aria-hidden="true" />
          {busy}
        </>
      ) : (
        children
      )}
    </button>
  );
}
