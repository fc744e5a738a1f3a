/** Holds the place of what is still being asked for, so that nothing jumps when it comes. */
export function Skeleton({
  shape = 'row',
  count = 3,
  label = 'Loading',
}: {
  shape?: 'line' | 'row' | 'panel';
  count?: number;
  label?: string;
}) {
  return (
    <div className="skeleton-list" role="status" aria-label={label}>
      {Array.from({ length: count }, (_, place) => (
        <span key={place} className={`skeleton skeleton-${shape}`} />
      ))}
    </div>
  );
}
