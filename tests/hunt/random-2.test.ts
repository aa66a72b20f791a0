import { huntFrom } from "./suite.js";

huntFrom(5000);
