/** One run as the page knows it: what was asked for, what the server made of it, and its last frame. */

import type { Frame, NamedArray } from "./frames";
import {
  completed,
  firstSettings,
  type ClientMessage,
  type ConfiguredMessage,
  type DataDescription,
  type LiveChanges,
  type NetworkDescription,
  type RunNumber,
  type Settings,
} from "./protocol";

export interface HistoryPoint {
  step: number;
  epoch: number;
  train_loss: number | null;
  test_loss: number | null;
  train_score: number | null;
  test_score: number | null;
}

/** Points of the curves that are kept; of more, every second one goes. */
const LONGEST_HISTORY = 2000;

type Send = (message: ClientMessage) => boolean;
type Edit = { layer: number; input: number | null; unit: number; value: number };

export class Run {
  /** What the controls show: the server's settings, or those just asked for. */
  settings = $state.raw<Settings>(firstSettings());
  /** The settings that network, data and frame belong to. */
  current = $state.raw<Settings>(firstSettings());
  network = $state.raw<NetworkDescription | null>(null);
  data = $state.raw<DataDescription | null>(null);
  frame = $state.raw<Frame | null>(null);
  /** Maps of the input features: `map0` and `range0` of the first frame. */
  inputMaps = $state.raw<Map<string, NamedArray>>(new Map());
  /** Loss curves since the last start; replaced by a new array when a frame came. */
  history = $state.raw<HistoryPoint[]>([]);
  /** The server's words when settings could not work; empty if all is well. */
  error = $state("");
  /** The unit under the pointer or with the focus, whose map is shown large; layer 0 are the inputs. */
  hovered = $state.raw<{ layer: number; unit: number } | null>(null);
  /** Somebody has chosen settings since the page showed some. */
  touched = false;
  /** A frame of training is on its way. */
  private training = false;
  /** Settings or documents that the server has not answered yet. */
  private asked = 0;
  /** The settings have changed since they were sent: they are sent again when the answer is there. */
  private changed = false;
  private confirmed: Settings | null = null;
  private next: ConfiguredMessage | null = null;
  private resolution = 1;
  private frames = 0;
  /** How often settings were refused before the run had begun. */
  private refused = 0;

  constructor(
    readonly number: RunNumber,
    private readonly send: Send,
    private readonly settled: () => void,
    private readonly chosen: () => void = () => undefined,
  ) {}

  /** An answer is on its way. */
  get waiting(): boolean {
    return this.training || this.asked > 0;
  }

  /** Starts again with these settings changed. */
  configure(changes: Partial<Settings>): void {
    this.choose();
    this.replace({ ...this.settings, ...changes });
  }

  /** Starts again with these settings, or with the same ones. */
  replace(settings: Settings = this.settings): void {
    this.settings = completed(settings);
    this.error = "";
    if (this.asked > 0) this.changed = true;
    else this.ask();
  }

  /** Starts a run that was saved, at its step. */
  load(document: unknown): void {
    this.choose();
    this.error = "";
    this.changed = false;
    if (this.send({ type: "load", run: this.number, document })) this.asked += 1;
  }

  /** Changes what may change while training goes on. */
  change(changes: LiveChanges): void {
    this.choose();
    this.settings = { ...this.settings, ...changes };
    this.error = "";
    if (this.asked > 0) {
      this.changed = true; // the answer to come does not know of it
      return;
    }
    this.send({ type: "change", run: this.number, changes });
    this.confirmed = this.settings;
    this.settled();
  }

  edit(edit: Edit): void {
    this.choose();
    this.send({ type: "edit", run: this.number, ...edit });
  }

  /** Asks for so many steps, unless an answer is on its way or the run has not begun. */
  advance(steps: number, statistics: boolean): void {
    if (this.waiting || !this.frame) return;
    this.training = this.send({ type: "advance", run: this.number, steps, statistics });
  }

  /** Further steps would change nothing: the loss is no number any more, or the schedule is at its end. */
  get isOver(): boolean {
    return this.frame !== null && (this.frame.header.diverged || this.frame.header.finished);
  }

  get step(): number {
    return this.frame?.header.step ?? 0;
  }

  /** Numbers of weights and biases of layer k, from 1 on, if the last frame has them. */
  array(name: string): NamedArray | undefined {
    return this.frame?.arrays.get(name);
  }

  /** What the server made of the settings; if others have been chosen meanwhile, those stay. */
  receiveConfigured(message: ConfiguredMessage): void {
    this.next = message;
    this.confirmed = message.settings;
    this.refused = 0;
    this.error = "";
    if (this.changed || this.asked > 1) return;
    this.settings = message.settings;
    this.settled();
  }

  /** All that belongs together changes at once: a frame of a new network never meets the old one. */
  receiveFrame(frame: Frame): void {
    this.training = false;
    this.frame = frame;
    if (this.next) this.begin(this.next, frame);
    this.remember(frame);
    if (!this.next) return;
    this.next = null;
    this.answered();
  }

  /** Back to the settings before; a run that the server does not have begins with others. */
  receiveError(text: string): void {
    this.training = false;
    this.answered();
    if (this.asked > 0) return; // other settings, which may work
    if (this.confirmed) this.settings = this.confirmed;
    else this.replaceRefused();
    this.error = text;
  }

  /** The server does not know the run any more. */
  lost(): void {
    this.training = this.changed = false;
    this.asked = 0;
    this.next = null;
    this.confirmed = null;
    this.refused = 0;
  }

  /** The settings on their way replace some that the server refused. */
  get isReplacement(): boolean {
    return this.refused > 0;
  }

  /** What an address or a lost table asked for cannot be: first with built-in data, then as the page begins. */
  private replaceRefused(): void {
    this.refused += 1;
    const first = firstSettings();
    const { data, features, loss } = first;
    if (this.refused === 1) this.replace({ ...this.settings, data, features, loss });
    else if (this.refused === 2) this.replace(first);
  }

  private choose(): void {
    this.touched = true;
    this.chosen();
  }

  private ask(): void {
    this.changed = false;
    if (this.send({ type: "configure", run: this.number, settings: this.settings })) this.asked += 1;
  }

  /** The answer to one request is there; what was chosen meanwhile is asked for now. */
  private answered(): void {
    this.asked = Math.max(0, this.asked - 1);
    if (this.asked === 0 && this.changed) this.ask();
  }

  private begin(message: ConfiguredMessage, frame: Frame): void {
    this.current = message.settings;
    this.network = message.network;
    this.data = message.data;
    this.inputMaps = new Map([...frame.arrays].filter(([name]) => name === "map0" || name === "range0"));
    this.hovered = null;
    this.history = [];
    this.resolution = 1;
    this.frames = 0;
  }

  private remember({ header }: Frame): void {
    const last = this.history.at(-1);
    const { step, epoch, train_loss, test_loss, train_score, test_score } = header;
    const point = { step, epoch, train_loss, test_loss, train_score, test_score };
    if (last && last.step === step) {
      this.history = [...this.history.slice(0, -1), point];
      return;
    }
    this.frames += 1;
    if (this.frames % this.resolution !== 0) return;
    this.history = [...this.history, point];
    if (this.history.length < LONGEST_HISTORY) return;
    this.history = this.history.filter((_, i) => i % 2 === 0);
    this.resolution *= 2;
  }
}
