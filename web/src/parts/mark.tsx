/** Ergon’s mark: three strokes of an E, the middle one still being drawn. */
export function Mark() {
  return (
    <svg
      className="mark"
      viewBox="0 0 16 16"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
    >
      <path d="M3 3.5h10M3 8h6.5M3 12.5h10" />
    </svg>
  );
}
