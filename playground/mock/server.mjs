/** A server with made-up frames, for work on the page without the engine: `npm run mock`. Not shipped. */
import { WebSocketServer } from "ws";
import { catalogue, configured, frame, lessons } from "./answers.mjs";

const port = Number(process.argv[2] ?? 8765);
new WebSocketServer({ port }).on("connection", (socket) => {
  const runs = new Map();
  const send = (message) => socket.send(JSON.stringify(message));
  send({ type: "welcome", protocol: 1, version: "mock", catalogue, lessons, table: null });
  socket.on("message", (data) => {
    const message = JSON.parse(String(data));
    const run = runs.get(message.run);
    if (message.type === "configure") {
      runs.set(message.run, { settings: message.settings, step: 0 });
      send(configured(message.run, message.settings));
      socket.send(frame(message.run, message.settings, 0, { first: true }));
    } else if (message.type === "advance" && run) {
      run.step += message.steps;
      socket.send(frame(message.run, run.settings, run.step, { statistics: message.statistics }));
    } else if (message.type === "change" || message.type === "edit") {
      Object.assign(run.settings, message.changes ?? {});
      socket.send(frame(message.run, run.settings, run.step, {}));
    } else if (message.type === "script") {
      send({ type: "script", run: message.run, text: "import rosenblatt\n" });
    } else if (message.type === "save") {
      send({ type: "saved", run: message.run, document: { settings: run.settings, step: run.step } });
    }
  });
});
console.log(`mock on ws://127.0.0.1:${port}`);
