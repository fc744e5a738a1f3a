// Shows the stack's token with each request of the suite, which knows of none; nothing else of what it sends is changed.
import http from 'node:http';
import { createRequire } from 'node:module';

const { Agent, setGlobalDispatcher } = createRequire(process.env.CONFORMANCE_SUITE)('undici');
const shown = ['authorization', `Bearer ${process.env.ERGON_TOKEN}`];

// Headers come as an object, or as names and values in turn.
const withToken = (headers = {}) =>
  Array.isArray(headers) ? [...headers, ...shown] : { ...headers, [shown[0]]: shown[1] };

setGlobalDispatcher(
  new Agent().compose(dispatch => (options, handler) =>
    dispatch({ ...options, headers: withToken(options.headers) }, handler),
  ),
);

// Some requests are made by hand, so that their headers stay as they are.
const request = http.request;
http.request = (...given) => {
  const at = given.findIndex(one => typeof one === 'object' && !(one instanceof URL));
  given[at] = { ...given[at], headers: withToken(given[at].headers) };
  return request(...given);
};
