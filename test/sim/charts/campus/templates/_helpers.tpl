{{- define "campus.labels" -}}
app: campus
release: {{ .Release.Name }}
{{- end }}
