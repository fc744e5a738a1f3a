require "socket"

# What the standard library has is enough to say hello.
server = TCPServer.new("0.0.0.0", Integer(ENV.fetch("PORT", "4567")))
loop do
  client = server.accept
  while (line = client.gets) && line != "\r\n"
  end
  body = "Hello from Ruby\n"
  client.write "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: #{body.bytesize}\r\nConnection: close\r\n\r\n#{body}"
  client.close
rescue SystemCallError
  client&.close
end
