import { Button } from './button';

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => Promise<unknown>;
}

/** Under a list that comes page by page, newest first: the button for the next page, where there is one. */
export function Earlier({ pages }: { pages: Pages }) {
  if (!pages.hasNextPage) {
    return null;
  }
  return (
    <div>
      <Button busy={pages.isFetchingNextPage && 'Looking…'} onClick={() => void pages.fetchNextPage()}>
        Show earlier ones
      </Button>
    </div>
  );
}
