import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';

import { useBuilds, useCompanions, useContainers, useProjects } from '../api/queries';
import { Icon } from '../parts/icon';
import { entriesOf, isDigestPrefix, search } from '../text/search';

interface Hit {
  href: string;
  kind: string;
  title: string;
  detail: string;
}

/** Finds anything already known; `/` brings one here from anywhere. */
export function SearchBox() {
  const [, navigate] = useLocation();
  const [query, setQuery] = useState('');
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  const hits = useHits(query, open);
  const shown = open && query.trim() !== '';

  useEffect(() => {
    const focus = (event: globalThis.KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener('keydown', focus);
    return () => document.removeEventListener('keydown', focus);
  }, []);

  const go = (hit: Hit | undefined) => {
    if (!hit) return;
    setOpen(false);
    setQuery('');
    input.current?.blur();
    navigate(hit.href);
  };

  const keys = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (hits.length) setChosen((chosen + (event.key === 'ArrowDown' ? 1 : hits.length - 1)) % hits.length);
    } else if (event.key === 'Enter') {
      go(hits[chosen]);
    } else if (event.key === 'Escape') {
      if (query) setQuery('');
      else input.current?.blur();
    }
  };

  return (
    <div className="search" role="search">
      <Icon name="search" />
      <input
        ref={input}
        className="search-input"
        type="search"
        role="combobox"
        aria-label="Search projects, containers, builds and companions"
        aria-expanded={shown}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={shown && hits[chosen] ? `${list}-${chosen}` : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder="Search"
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setChosen(0);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={keys}
      />
      <kbd className="search-key" aria-hidden="true">
        /
      </kbd>
      <ul className="search-hits" id={list} role="listbox" aria-label="Found" hidden={!shown}>
        {hits.map((hit, place) => (
          <li
            key={hit.href}
            id={`${list}-${place}`}
            role="option"
            aria-selected={place === chosen}
            className="search-hit"
            onPointerEnter={() => setChosen(place)}
            // Before the input loses the focus and the list goes away.
            onPointerDown={(event) => {
              event.preventDefault();
              go(hit);
            }}
          >
            <span className="search-kind">{hit.kind}</span>
            <span className="search-title one-line">{hit.title}</span>
            <span className="search-detail one-line">{hit.detail}</span>
          </li>
        ))}
        {hits.length === 0 && (
          <li className="search-nothing" role="option" aria-selected={false} aria-disabled="true">
            Nothing known by “{query.trim()}”
          </li>
        )}
      </ul>
    </div>
  );
}

/** What is known that fits; a digest nothing here has is looked up in the registry. */
function useHits(query: string, open: boolean): Hit[] {
  const projects = useProjects(open).data;
  const containers = useContainers(open).data;
  const builds = useBuilds(open).data;
  const companions = useCompanions(open).data;
  const entries = useMemo(
    () => entriesOf({ projects, containers, builds, companions }),
    [projects, containers, builds, companions],
  );
  return useMemo(() => {
    const hits: Hit[] = search(entries, query);
    const digest = query.trim();
    if (hits.length === 0 && isDigestPrefix(digest)) {
      hits.push({
        kind: 'registry',
        title: digest,
        detail: 'look it up in the registry',
        href: `/registry/${encodeURIComponent(digest)}`,
      });
    }
    return hits;
  }, [entries, query]);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
}
