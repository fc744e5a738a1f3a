"""An agent of the official Python SDK: what it lists, reads, is told and calls has to be what the stack says."""
import asyncio
import os
import sys

from mcp import Client, StdioServerParameters


async def use(client):
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert "run_folder" in tools and tools["list_projects"].annotations.read_only_hint, sorted(tools)
    # The SDK holds structured answers against their schemas.
    for name, arguments in {"session": {}, "list_projects": {}, "list_containers": {}, "list_builds": {}, "events": {}}.items():
        answer = await client.call_tool(name, arguments)
        assert not answer.is_error and answer.structured_content is not None, (name, answer)
    wrong = await client.call_tool("project", {"id": "nothing"})
    assert wrong.is_error and "What to do" in wrong.content[0].text, wrong
    resources = [str(resource.uri) for resource in (await client.list_resources()).resources]
    assert "ergon://projects" in resources, resources
    read = await client.read_resource("ergon://jobs")
    assert read.contents[0].text.startswith("{"), read
    prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
    assert "package-project" in prompts, prompts
    told = await client.get_prompt("package-project", {"location": "/srv/app"})
    assert "/srv/app" in told.messages[0].content.text, told
    return len(tools)


async def main():
    program = StdioServerParameters(command=sys.argv[1], args=["mcp"], env=dict(os.environ))
    for mode in ("auto", "legacy"):
        async with Client(program, mode=mode) as client:
            print(mode, await use(client), "tools")


asyncio.run(main())
