const express = require("express");

const greeting = process.env.GREETING ?? "Hello";
const port = process.env.PORT || 3000;

const app = express();

app.get("/", (request, response) => {
  response.type("text/plain").send(`${greeting}, ${request.query.name || "world"}!\n`);
});

app.get("/healthz", (request, response) => {
  response.json({ status: "ok" });
});

const server = app.listen(port, () => console.log(`listening on ${port}`));

process.on("SIGTERM", () => server.close());
