"""An agent of the official Python SDK of Agent2Agent: it finds the cards, and is answered by whom it asks."""
import asyncio
import sys
import uuid

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.client.errors import AgentCardResolutionError
from a2a.types import a2a_pb2 as a2a
from a2a.utils.errors import InvalidParamsError, TaskNotFoundError

URL, TOKEN = sys.argv[1], sys.argv[2]


def said(text):
    message = a2a.Message(message_id=str(uuid.uuid4()), role=a2a.Role.ROLE_USER, parts=[a2a.Part(text=text)])
    return a2a.SendMessageRequest(message=message)


async def answer(client, text):
    [reply] = [event async for event in client.send_message(said(text))]
    assert reply.HasField("message") and reply.message.role == a2a.Role.ROLE_AGENT, reply
    return "".join(part.text for part in reply.message.parts)


async def main():
    async with httpx.AsyncClient() as nobody:
        try:
            await A2ACardResolver(nobody, URL).get_agent_card()
            raise SystemExit("a card without a token")
        except AgentCardResolutionError as error:
            assert error.status_code == 401, error
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as known:
        card = await A2ACardResolver(known, URL).get_agent_card()
        assert "ask" in [skill.id for skill in card.skills] and card.security_requirements, card
        own = await A2ACardResolver(known, f"{URL}/api/v1/companions/{card.name}").get_agent_card()
        assert own.supported_interfaces == card.supported_interfaces, own
        for streaming in (True, False):
            config = ClientConfig(httpx_client=known, streaming=streaming)
            client = ClientFactory(config).create(card)
            text = await answer(client, "how are you?")
            assert text.startswith("I'm "), text
            print("streaming" if streaming else "whole", text)
        try:
            await answer(client, "  ")
            raise SystemExit("an empty message was answered")
        except InvalidParamsError as error:
            assert "empty" in str(error), error
        try:
            await client.get_task(a2a.GetTaskRequest(id="none"))
            raise SystemExit("a task that is none")
        except TaskNotFoundError:
            pass
        # An agent that speaks the older revision only.
        del card.supported_interfaces[0]
        assert [way.protocol_version for way in card.supported_interfaces] == ["0.3"], card
        older = ClientFactory(ClientConfig(httpx_client=known)).create(card)
        print("older", await answer(older, "how are you?"))


asyncio.run(main())
