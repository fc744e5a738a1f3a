import { Component, type ReactNode } from 'react';

import { problemOf } from '../api/problem';
import { Button } from './button';
import { Notice } from './notice';

/** Keeps a page that broke from taking the rest of the UI with it. */
export class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <Notice actions={<Button onClick={() => location.reload()}>Load it again</Button>}>
        <p>This page broke while it was drawn: {problemOf(this.state.error).detail}</p>
      </Notice>
    );
  }
}
