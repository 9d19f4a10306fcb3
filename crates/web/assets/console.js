// What pages do beyond what the server rendered; each page is complete without it.
import "./times.js";
import "./live.js";
import "./keys.js";
import "./timeline.js";
import "./bars.js";
