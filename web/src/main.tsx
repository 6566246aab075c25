import { render } from "preact";
import { App } from "./app";
import "./style.css";
import { startView } from "./view";

startView();
render(<App />, document.getElementById("app")!);
