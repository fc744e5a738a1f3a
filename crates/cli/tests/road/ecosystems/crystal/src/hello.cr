require "http/server"

server = HTTP::Server.new do |context|
  context.response.content_type = "text/plain"
  context.response.print "Hello from Crystal\n"
end

server.bind_tcp "0.0.0.0", ENV.fetch("PORT", "3000").to_i
server.listen
