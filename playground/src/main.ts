import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { exposeProbe } from "./lib/probe";
import { playground } from "./lib/store.svelte";
import { watchTheme } from "./lib/theme.svelte";

watchTheme();
const target = document.getElementById("app");
if (target) mount(App, { target });
playground.start();
exposeProbe();
