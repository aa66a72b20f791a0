import { huntFrom } from "./suite.js";

huntFrom(0);
