package hello;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws IOException {
        String named = System.getenv("PORT");
        int port = named == null ? 8080 : Integer.parseInt(named);
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        byte[] body = "Hello from Java\n".getBytes(StandardCharsets.UTF_8);
        server.createContext("/", exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "text/plain");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
