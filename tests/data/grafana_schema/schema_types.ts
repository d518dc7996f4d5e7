// What the schema is made of: Grafana's own types, of the packages that package.json pins.
import type { GraphFieldConfig, TableFieldOptions } from "@grafana/schema";
import type * as dashboard from "@grafana/schema/dist/types/raw/dashboard/x/dashboard_types.gen";
import type * as gauge from "@grafana/schema/dist/types/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen";
import type * as heatmap from "@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as stat from "@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as table from "@grafana/schema/dist/types/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as timeseries from "@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";
import type { AnnotationQuery } from "@grafana/grafana-foundation-sdk/dist/dashboard/types.gen";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/dist/prometheus/types.gen";

// Options are Partial: what a file leaves out, Grafana fills in.
export interface GrafanaSchema {
  dashboard: dashboard.Dashboard;
  panel: dashboard.Panel;
  row: dashboard.RowPanel;
  options: {
    gauge: Partial<gauge.Options>;
    heatmap: Partial<heatmap.Options>;
    stat: Partial<stat.Options>;
    table: Partial<table.Options>;
    timeseries: Partial<timeseries.Options>;
  };
  custom: {
    heatmap: heatmap.FieldConfig;
    table: Partial<TableFieldOptions>;
    timeseries: GraphFieldConfig;
  };
  // The queries of Prometheus' data source, in panels and in annotations.
  query: Omit<Dataquery, "_implementsDataqueryVariant">;
  annotation: AnnotationQuery;
}
