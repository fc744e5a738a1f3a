// An agent of the official TypeScript SDK: what it lists, reads, is told and calls has to be what the stack says.
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [program, url, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
const ways = {
  stdio: () => new StdioClientTransport({ command: program, args: ['mcp'], env: process.env }),
  http: () => new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
};
for (const [way, transport] of Object.entries(ways)) {
  const client = new Client({ name: 'agent', version: '1' });
  await client.connect(transport());
  const { tools } = await client.listTools();
  assert.ok(tools.some(tool => tool.name === 'run_folder'));
  // The SDK holds structured answers against their schemas.
  for (const name of ['session', 'list_projects', 'list_containers', 'list_builds', 'events']) {
    const answer = await client.callTool({ name, arguments: {} });
    assert.ok(!answer.isError && answer.structuredContent, name);
  }
  const wrong = await client.callTool({ name: 'project', arguments: { id: 'nothing' } });
  assert.ok(wrong.isError && wrong.content[0].text.includes('What to do'));
  const { contents } = await client.readResource({ uri: 'ergon://jobs' });
  assert.ok(contents[0].text.startsWith('{'));
  const told = await client.getPrompt({ name: 'package-project', arguments: { location: '/srv/app' } });
  assert.ok(told.messages[0].content.text.includes('/srv/app'));
  await client.close();
  console.log(way, tools.length, 'tools');
}
