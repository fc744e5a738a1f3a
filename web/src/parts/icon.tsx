/** The few pictures there are, drawn on a grid of sixteen. They only ever stand beside words or carry a label. */
const shapes = {
  projects:
    'M2 4.5A1.5 1.5 0 0 1 3.5 3h3l1.5 2h4.5A1.5 1.5 0 0 1 14 6.5v5a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 2 11.5z',
  containers: 'M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM2.5 5 8 8.2 13.5 5M8 8.2v6',
  registry: 'M3 3h10v3.5H3zM3 9.5h10V13H3zM5.5 4.75h.01M5.5 11.25h.01',
  companions:
    'M3.5 3h9A1.5 1.5 0 0 1 14 4.5v5a1.5 1.5 0 0 1-1.5 1.5H8l-3.5 3v-3h-1A1.5 1.5 0 0 1 2 9.5v-5A1.5 1.5 0 0 1 3.5 3zM5.5 6h5M5.5 8.2h3',
  messages: 'M2 3.5h12v9H2zM2 4.5l6 4.5 6-4.5',
  approvals: 'M8 1.8 13 3.8v4c0 3-2 5.2-5 6.4-3-1.2-5-3.4-5-6.4v-4zM5.8 8l1.6 1.6 3-3.2',
  activity: 'M1.5 8.5h3l2-5.5 3 10 2-4.5h3',
  settings: 'M2 4.5h7M12.5 4.5H14M2 11.5h1.5M7 11.5h7M9 2.8h3v3.4H9zM3.7 9.8h3v3.4h-3z',
  search: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.4 10.4 14 14',
  copy: 'M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1',
  check: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  warning: 'M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.01',
  external: 'M6 3H3v10h10v-3M9 3h4v4M13 3 7.5 8.5',
  remove: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9',
  arrow: 'M3 8h10M9 4l4 4-4 4',
  lock: 'M3.5 7h9v6.5h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2M8 9.8v1.2',
  access: 'M2 8a2.7 2.7 0 1 0 5.4 0A2.7 2.7 0 1 0 2 8zM7.4 8H14v2.6M11 8v2',
  send: 'M2.5 8 13.5 2.5 9.5 13.5 7.5 9z',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={shapes[name]} />
    </svg>
  );
}
