/** The state of the page: one or two runs, the connection, what is played and shown. */

import { FITTING, lacksTable, missingTable, suggestedData } from "./axes";
import type { Frame } from "./frames";
import {
  firstSettings,
  type Catalogue,
  type ClientMessage,
  type ConfiguredMessage,
  type Lesson,
  type RunNumber,
  type ServerMessage,
  type Settings,
  type TableDescription,
  type WelcomeMessage,
} from "./protocol";
import { Run } from "./run.svelte";
import { Connection, socketAddress, type ConnectionState } from "./socket";
import { AddressError, fromHash, toHash } from "./url";

/** Milliseconds for which a note is shown that asks for nothing. */
const NOTE_LASTS = 10_000;

export interface Notice {
  kind: "problem" | "note";
  text: string;
  /** The run whose settings could not work; the message goes when others do. */
  run?: RunNumber;
}

type Answer = (value: never) => void;
/** What goes wrong if nothing answers. */
const LONGEST_ANSWER = 10_000;

class Playground {
  connection = $state<ConnectionState>("connecting");
  version = $state("");
  /** The name that the server knows this page by. */
  page = "";
  /** Frames received so far. */
  frames = 0;
  catalogue = $state.raw<Catalogue | null>(null);
  lessons = $state.raw<Lesson[]>([]);
  table = $state.raw<TableDescription | null>(null);
  runs = $state.raw<Run[]>([]);
  /** The run that the controls belong to. */
  active = $state<RunNumber>(0);
  playing = $state(false);
  /** Steps asked for in each frame. */
  speed = $state(20);
  /** Ask for gradient norms, dead units and histograms in each frame. */
  statistics = $state(false);
  showTest = $state(false);
  discretize = $state(false);
  notice = $state.raw<Notice | null>(null);

  private socket: Connection | null = null;
  private answers = new Map<string, Answer>();
  /** Settings for a table that the page does not have. */
  private kept: Settings[] | null = null;
  private fading: ReturnType<typeof setTimeout> | undefined;

  /** The run that the controls belong to; always there after the welcome. */
  get run(): Run | undefined {
    return this.runs[this.active];
  }

  start(): void {
    this.socket = new Connection(socketAddress(location.href), {
      message: (message) => this.receive(message),
      frame: (frame) => this.receiveFrame(frame),
      state: (state, reason) => this.connectionChanged(state, reason),
    });
    this.socket.open();
    window.addEventListener("hashchange", () => this.followAddress());
    const loop = (): void => {
      if (this.playing) this.advance(this.speed);
      requestAnimationFrame(loop);
    };
    requestAnimationFrame(loop);
  }

  play(): void {
    this.playing = true;
  }

  pause(): void {
    this.playing = false;
  }

  toggle(): void {
    this.playing = !this.playing;
  }

  /** One step (or as many) of each run; pauses. */
  step(steps = 1): void {
    this.playing = false;
    this.advance(steps);
  }

  /** All runs start again with the weights they started with. */
  reset(): void {
    this.playing = false;
    for (const run of this.runs) run.replace();
  }

  /** One or two runs with these settings instead of those there are. */
  show(settings: Settings[]): void {
    this.forgetNotice();
    const runs = settings.map((_, i) => this.runs[i] ?? this.newRun(i as RunNumber));
    for (const run of this.runs.slice(runs.length)) this.send({ type: "drop", run: run.number });
    this.runs = runs;
    if (this.active >= runs.length) this.active = 0;
    runs.forEach((run, i) => {
      run.touched = true;
      run.replace(settings[i]);
    });
  }

  /** All runs begin on a table: with the settings that were kept for it, or as the server suggests. */
  showTable(table: TableDescription): void {
    const kept = this.kept;
    this.kept = null;
    if (kept?.every((each) => !lacksTable(table, each))) this.show(kept);
    else this.show(this.runs.map(({ settings }) => this.onTable(table, settings)));
  }

  /** A second run beside the first, with the same settings unless others are given. */
  addRun(settings?: Settings): void {
    const first = this.runs[0];
    if (!first || this.runs.length > 1) return;
    first.touched = true;
    const second = this.newRun(1);
    this.runs = [first, second];
    this.active = 1;
    first.replace();
    second.replace(settings ?? first.settings);
  }

  /** Ends the second run. */
  dropRun(): void {
    if (this.runs.length < 2) return;
    this.send({ type: "drop", run: 1 });
    this.runs = this.runs.slice(0, 1);
    this.runs[0]!.touched = true;
    this.active = 0;
    this.keepAddress();
  }

  /** The Python code of a run. */
  script(run: RunNumber): Promise<string> {
    return this.ask<string>("script", { type: "script", run });
  }

  /** The document that a run can be loaded from. */
  save(run: RunNumber): Promise<unknown> {
    return this.ask<unknown>("saved", { type: "save", run });
  }

  forgetTable(): void {
    this.send({ type: "forget_table" });
  }

  tell(text: string, kind: Notice["kind"] = "note"): void {
    this.notice = { kind, text };
    clearTimeout(this.fading);
    if (kind === "note") this.fading = setTimeout(() => this.forgetNotice("note"), NOTE_LASTS);
  }

  /** A message goes when the next thing is done. */
  forgetNotice(kind?: Notice["kind"]): void {
    if (kind === undefined || this.notice?.kind === kind) this.notice = null;
  }

  send(message: ClientMessage): boolean {
    return this.socket?.send(message) ?? false;
  }

  private newRun(number: RunNumber): Run {
    return new Run(
      number,
      (message) => this.send(message),
      () => this.keepAddress(),
      () => this.forgetNotice("problem"),
    );
  }

  /** Both runs in step: none goes on before the other has answered, and one that is behind catches up. */
  private advance(steps: number): void {
    if (this.runs.some((run) => run.waiting)) return;
    const furthest = Math.max(...this.runs.map((run) => run.step));
    const most = this.catalogue?.limits.steps ?? steps;
    for (const run of this.runs) {
      if (!run.isOver) run.advance(Math.min(most, furthest - run.step + steps), this.statistics);
    }
  }

  private ask<T>(kind: string, message: ClientMessage & { run: RunNumber }): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!this.send(message)) {
        reject(new Error("There is no connection to rosenblatt."));
        return;
      }
      const late = setTimeout(() => reject(new Error("rosenblatt did not answer.")), LONGEST_ANSWER);
      this.answers.set(`${kind}${message.run}`, (value: T) => {
        clearTimeout(late);
        resolve(value);
      });
    });
  }

  private answer(key: string, value: unknown): void {
    this.answers.get(key)?.(value as never);
    this.answers.delete(key);
  }

  private receive(message: ServerMessage): void {
    if (message.type === "welcome") this.welcome(message);
    else if (message.type === "configured") this.configured(message);
    else if (message.type === "table") this.receiveTable(message.table);
    else if (message.type === "script") this.answer(`script${message.run}`, message.text);
    else if (message.type === "saved") this.answer(`saved${message.run}`, message.document);
    else this.problem(message.message, message.run);
  }

  /** What is shown of a table that comes and the runs change together. */
  private receiveTable(table: TableDescription | null): void {
    this.table = table;
    if (table) this.showTable(table);
  }

  private configured(message: ConfiguredMessage): void {
    if (this.notice?.run === message.run && !this.runs[message.run]?.isReplacement) this.notice = null;
    this.runs[message.run]?.receiveConfigured(message);
  }

  private receiveFrame(frame: Frame): void {
    this.frames += 1;
    this.runs[frame.header.run]?.receiveFrame(frame);
    if (this.playing && this.runs.every((run) => run.isOver)) this.pause();
  }

  private problem(text: string, number?: RunNumber): void {
    this.tell(`Not possible: ${text}`, "problem");
    if (number === undefined) return;
    this.notice = { ...this.notice!, run: number };
    this.runs[number]?.receiveError(text);
  }

  private welcome(message: WelcomeMessage): void {
    this.version = message.version;
    this.page = message.page;
    this.catalogue = message.catalogue;
    this.lessons = message.lessons;
    this.table = message.table;
    if (this.runs.length > 0) this.begin(this.wanted);
    else if (!this.followAddress()) this.begin([this.suggested(message.table)], this.notice);
  }

  /** What the page is to show, though it may lack the table for it. */
  private get wanted(): Settings[] {
    return this.kept && !this.runs.some(({ touched }) => touched) ? this.kept : this.runs.map(({ settings }) => settings);
  }

  /** Runs with these settings; if their table is not there, they are kept, and others stand in for them. */
  private begin(settings: Settings[], notice: Notice | null = null): void {
    const lost = settings.some((each) => lacksTable(this.table, each));
    this.kept = lost ? settings : null;
    this.show(settings.map((each) => (lacksTable(this.table, each) ? this.standIn(each) : each)));
    for (const run of this.runs) run.touched = false;
    if (lost) this.tell(missingTable(this.table, settings), "problem");
    else this.notice = notice;
  }

  private standIn(settings: Settings): Settings {
    return this.table?.suggested ? this.onTable(this.table, settings) : { ...settings, ...FITTING, data: firstSettings().data };
  }

  /** These settings for another table; a rule for two classes gives way to good settings. */
  private onTable(table: TableDescription, settings: Settings): Settings {
    const good = this.catalogue?.good_settings["table"];
    const fitting = settings.optimizer === "perceptron" ? (good ?? firstSettings()) : settings;
    const data = suggestedData(table);
    return data ? { ...fitting, ...FITTING, data } : fitting;
  }

  /** The settings in the address; what cannot be read is said and left alone. */
  private fromAddress(): Settings[] | null {
    try {
      return fromHash(location.hash);
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      this.tell(`The address cannot be read: ${error.message}. The page shows its first settings instead.`, "problem");
      return null;
    }
  }

  /** Shows the settings in the address, if there are any. */
  private followAddress(): boolean {
    const settings = this.fromAddress();
    if (settings && this.catalogue) this.begin(settings);
    return settings !== null;
  }

  /** A table that the server has is what is learned first. */
  private suggested(table: TableDescription | null): Settings {
    const data = table && suggestedData(table);
    if (!data) return firstSettings();
    return { ...(this.catalogue?.good_settings["table"] ?? firstSettings()), data };
  }

  private keepAddress(): void {
    const hash = toHash(this.wanted);
    history.replaceState(history.state, "", `#${hash}`);
  }

  private connectionChanged(state: ConnectionState, reason: string): void {
    this.connection = state;
    if (state === "open" || state === "moved") return;
    for (const run of this.runs) run.lost();
    if (reason) this.tell(`The server ended the connection: ${reason}`, "problem");
  }
}

export const playground = new Playground();
