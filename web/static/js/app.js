// The one script every page loads. It starts the live connection and defines the custom elements;
// each element is a small module of its own in elements/.
import { startLive } from "./live.js";
import "./status.js";
import "./page.js";
import "./elements/index.js";

startLive();
