defmodule Hello.Server do
  @moduledoc "Says hello, with what comes with Erlang."
  use Task, restart: :permanent

  @body "Hello from Elixir\n"

  def start_link(_options), do: Task.start_link(&listen/0)

  defp listen do
    port = String.to_integer(System.get_env("PORT", "4000"))
    {:ok, listener} = :gen_tcp.listen(port, [:binary, packet: :http_bin, active: false, reuseaddr: true])
    accept(listener)
  end

  defp accept(listener) do
    {:ok, client} = :gen_tcp.accept(listener)
    answer(client)
    accept(listener)
  end

  defp answer(client) do
    case :gen_tcp.recv(client, 0) do
      {:ok, :http_eoh} ->
        :inet.setopts(client, packet: :raw)
        :gen_tcp.send(client, "HTTP/1.1 200 OK\r\nContent-Length: #{byte_size(@body)}\r\nConnection: close\r\n\r\n#{@body}")
        :gen_tcp.close(client)

      {:ok, _line} ->
        answer(client)

      {:error, _gone} ->
        :gen_tcp.close(client)
    end
  end
end
