import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds a stack. */
const stack = process.env['ERGON_URL'] ?? 'http://127.0.0.1:7411';

export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/api': stack, '/healthz': stack } },
  build: {
    // The stack's Content-Security-Policy allows only its own files: nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
  },
  test: { include: ['src/**/*.test.ts'] },
});
