import "piu/MC";
import type { Content, Label as LabelContent } from "piu/MC";
import { ROWS, type Row, type SessionView } from "./session-view.js";

/** What the screen shows, and what its button does. */
export interface ScreenOptions {
	readonly view: SessionView;
	readonly send: () => void;
}

const TITLES: Record<Row, string> = {
	state: "State",
	keys: "Keys",
	uplink: "Uplink",
	"last uplink": "Last uplink",
	downlink: "Downlink",
	"last downlink": "Last downlink",
	note: "Last event",
};

const background = new Skin({ fill: "#ffffff" });
const bar = new Skin({ fill: "#1f4e79" });
const buttonSkin = new Skin({ fill: ["#2e75b6", "#1f4e79"] });
const heading = new Style({ font: "20px Open Sans", color: "#ffffff" });
const caption = new Style({ font: "16px Open Sans", color: "#707070", horizontal: "left" });
const value = new Style({ font: "16px Open Sans", color: "#000000", horizontal: "left" });

/** Shows a row's text, and again each half of a second. */
class ValueBehavior extends Behavior {
	private view: SessionView | undefined;
	private row: Row | undefined;

	onCreate(label: LabelContent, data: { view: SessionView; row: Row }): void {
		this.view = data.view;
		this.row = data.row;
		label.interval = 500;
		label.start();
	}

	onTimeChanged(label: LabelContent): void {
		if (this.view !== undefined && this.row !== undefined) label.string = this.view.text(this.row);
	}
}

class ButtonBehavior extends Behavior {
	private send: (() => void) | undefined;

	onCreate(_button: Content, { send }: ScreenOptions): void {
		this.send = send;
	}

	onTouchBegan(button: Content): void {
		button.state = 1;
	}

	onTouchEnded(button: Content): void {
		button.state = 0;
		this.send?.();
	}

	onTouchCancelled(button: Content): void {
		button.state = 0;
	}
}

/** The simulator's screen. */
export function showScreen({ view, send }: ScreenOptions): object {
	const rows = ROWS.flatMap((row) => [
		new Label(null, { left: 8, right: 8, height: 16, style: caption, string: TITLES[row] }),
		new Label({ view, row }, { left: 8, right: 8, height: 20, style: value, string: "", Behavior: ValueBehavior }),
	]);
	const title = new Label(null, { left: 0, right: 0, height: 26, skin: bar, style: heading, string: "BEST" });
	const button = new Label(
		{ view, send },
		{
			left: 40,
			right: 40,
			bottom: 6,
			height: 30,
			active: true,
			skin: buttonSkin,
			style: heading,
			string: "Send",
			Behavior: ButtonBehavior,
		},
	);
	const column = new Column(null, { left: 0, right: 0, top: 0, contents: [title, ...rows] });
	return new Application(null, {
		skin: background,
		contents: [column, button],
		commandListLength: 4096,
		displayListLength: 8192,
	});
}
